-- When and by whom the data of an event was erased, as JSON. Then data is empty.
ALTER TABLE events ADD COLUMN erased TEXT;
