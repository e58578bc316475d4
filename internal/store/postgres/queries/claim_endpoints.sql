-- The endpoints of the claims that get anything, with the last sequence number that was given at each.
-- $1 to $4: the claims' places, endpoints, shards and epochs.
-- The number must be read before the deliveries: one that is given in between would seem to have been claimed.
WITH c AS MATERIALIZED (
    SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
    FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
    JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
    JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
)
SELECT c.place, c.endpoint, coalesce(s.last, 0)
FROM c
LEFT JOIN bellwire.sequences s ON s.endpoint = c.endpoint
WHERE (SELECT t.deleted_at IS NULL FROM bellwire.tenants t WHERE t.n = c.tenant)
