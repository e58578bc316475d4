-- A delivery's id is its event's, but for the last 16 bits (bellwire.DeliveryOf): an event's deliveries lie together, and
-- need no index to be found. A tenant's are found by its endpoints'. Deliveries made before get ids of this form.
CREATE TEMP TABLE renamed AS
SELECT d.id AS old, CAST(substr(e.id, 1, 14) || unhex(printf('%04x', row_number() OVER (PARTITION BY d.event ORDER BY d.id) - 1)) AS BLOB) AS new
FROM deliveries d JOIN events e ON e.n = d.event;

UPDATE deliveries SET id = r.new FROM temp.renamed AS r WHERE r.old = deliveries.id;
UPDATE attempts SET delivery = r.new FROM temp.renamed AS r WHERE r.old = attempts.delivery;
DROP TABLE temp.renamed;

DROP INDEX deliveries_event;
DROP INDEX deliveries_tenant;
