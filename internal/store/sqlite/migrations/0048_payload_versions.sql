-- The versions of an event type's data. schema and example are those of the newest.
ALTER TABLE event_types ADD COLUMN since INTEGER NOT NULL DEFAULT 0;  -- the operator_revision that added the newest version; 0: it is the first
ALTER TABLE event_types ADD COLUMN older TEXT NOT NULL DEFAULT '[]'; -- the versions before it, the first one first: JSON

-- An endpoint gets the versions that were the newest at a revision of the catalogue.
ALTER TABLE endpoints ADD COLUMN catalogue INTEGER NOT NULL DEFAULT 0;  -- the operator_revision at its creation
ALTER TABLE endpoints ADD COLUMN versions TEXT NOT NULL DEFAULT 'null'; -- the types for which another one was chosen: JSON

-- The version that an event was published in: the version's since × 256 + its number. NULL: the first.
ALTER TABLE events ADD COLUMN version INTEGER;
