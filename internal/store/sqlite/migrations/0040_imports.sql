-- Whether an event is history of another system, which was sent to nobody and is not counted by the statistics.
ALTER TABLE events ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
