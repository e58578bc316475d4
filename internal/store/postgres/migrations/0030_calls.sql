-- Calls that were refused because the caller may not make them: the code that the caller was told.
ALTER TABLE bellwire.audit ADD COLUMN refused text NOT NULL DEFAULT '';
