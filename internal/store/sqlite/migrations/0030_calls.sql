-- Calls that were refused because the caller may not make them: the code that the caller was told.
ALTER TABLE audit ADD COLUMN refused TEXT NOT NULL DEFAULT '';
