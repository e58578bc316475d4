-- The publisher's ordering key of an event; NULL: it has none. Deliveries to endpoints that are ordered by key have its number
-- (bellwire.HashOrderingKey), and their place among those of the key, which is a number of the endpoint's sequence.
ALTER TABLE events ADD COLUMN ordering_key TEXT;
ALTER TABLE deliveries ADD COLUMN ordering_key INTEGER; -- NULL: it is in no order of a key
ALTER TABLE deliveries ADD COLUMN place INTEGER;

-- The status -2 is pending too, and behind an earlier delivery of the same key. Of the open deliveries of a key, the first has
-- another status.
CREATE INDEX deliveries_keyed ON deliveries (endpoint, ordering_key, place) WHERE ordering_key IS NOT NULL AND status <= 1;
DROP INDEX deliveries_apart;
CREATE INDEX deliveries_apart ON deliveries (endpoint, status, id) WHERE status < 0;
