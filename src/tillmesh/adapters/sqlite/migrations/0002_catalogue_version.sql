-- The version of the catalogue is asked for by every page that opens: without this it was a walk through the whole log.
CREATE INDEX event_products ON event (hlc) WHERE type = 'products_changed';

-- Wrong PINs stand in the audit log, where a restart finds them again.
DROP TABLE pin_failure;
