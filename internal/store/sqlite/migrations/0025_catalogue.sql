-- So that only changed event types are read again.
ALTER TABLE event_types ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- the operator's, when it was changed last
CREATE INDEX event_types_revision ON event_types (revision);
INSERT INTO meta (name, value) VALUES ('event_types_deleted', 1); -- the operator's revision when one was deleted last
