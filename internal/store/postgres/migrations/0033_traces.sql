-- The trace that a publisher's request belonged to; NULL: none.
ALTER TABLE bellwire.events ADD COLUMN trace bytea;
