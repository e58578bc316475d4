-- The trace that a publisher's request belonged to; NULL: none.
ALTER TABLE events ADD COLUMN trace BLOB;
