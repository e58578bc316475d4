-- When an event is to be delivered at the earliest, and until when.
ALTER TABLE events ADD COLUMN deliver_at INTEGER;
ALTER TABLE events ADD COLUMN expires_at INTEGER;
ALTER TABLE deliveries ADD COLUMN not_before INTEGER; -- NULL: its schedule began when it was made
ALTER TABLE deliveries ADD COLUMN expires_at INTEGER; -- NULL: never

-- The status -1 is pending too, and due later. Such a delivery lies by due time, like one that is to be retried, and once more by
-- id for lists.
DROP INDEX deliveries_retrying;
CREATE INDEX deliveries_later ON deliveries (endpoint, due_at, id, epoch) WHERE status IN (1, -1) AND sequence = 0;
CREATE INDEX deliveries_apart ON deliveries (endpoint, id) WHERE status < 0;
CREATE INDEX deliveries_expiring ON deliveries (expires_at, id) WHERE expires_at IS NOT NULL AND status <= 1;
