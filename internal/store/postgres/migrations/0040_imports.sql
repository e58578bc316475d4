-- Whether an event is history of another system, which was sent to nobody.
ALTER TABLE bellwire.events ADD COLUMN imported boolean NOT NULL DEFAULT false;
