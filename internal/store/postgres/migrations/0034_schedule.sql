-- When an event is to be delivered at the earliest, and until when.
ALTER TABLE bellwire.events ADD COLUMN deliver_at timestamptz, ADD COLUMN expires_at timestamptz;
ALTER TABLE bellwire.deliveries ADD COLUMN not_before timestamptz, -- NULL: its schedule began when it was made
    ADD COLUMN expires_at timestamptz; -- NULL: never

-- The status -1 is pending too, and due later. Such a delivery lies by due time, like one that is to be retried.
DROP INDEX bellwire.deliveries_retrying;
CREATE INDEX deliveries_later ON bellwire.deliveries (endpoint, due_at, id) WHERE status IN (1, -1) AND NOT ordered;
CREATE INDEX deliveries_expiring ON bellwire.deliveries (expires_at, id) WHERE expires_at IS NOT NULL AND status <= 1;
