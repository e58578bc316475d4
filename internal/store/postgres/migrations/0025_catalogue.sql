-- So that only changed event types are read again.
ALTER TABLE bellwire.event_types ADD COLUMN revision bigint NOT NULL DEFAULT 0; -- the operator's, when it was changed last
CREATE INDEX event_types_revision ON bellwire.event_types (revision);
INSERT INTO bellwire.meta (name, number) VALUES ('event_types_deleted', 1); -- the operator's revision when one was deleted last
