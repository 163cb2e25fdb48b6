-- What the fraud score flagged, and what managers said about it: few events among very many.
CREATE INDEX event_flags ON event (hlc) WHERE type IN ('act_flagged', 'flag_reviewed');
