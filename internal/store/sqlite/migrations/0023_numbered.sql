-- Counting an endpoint's pending deliveries that have a number needs the index alone.
DROP INDEX deliveries_numbered;
CREATE INDEX deliveries_numbered ON deliveries (endpoint, id, sequence) WHERE status = 0 AND sequence > 0;
