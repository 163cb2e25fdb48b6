-- What managers said about money that was taken or given back twice: a handful of events among very many.
CREATE INDEX event_money ON event (hlc) WHERE type = 'money_conflict_settled';
