-- Takes the sequence numbers from deliveries of endpoints that no longer keep an order, so that they are found by their due
-- time. Each claim does this for some of them; those that are left are due at once.
-- $1 to $4: the claims' places, endpoints, shards and epochs; $5: how many; $6: the ordering that needs numbers.
WITH c AS MATERIALIZED (
    SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
    FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
    JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
    JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
)
UPDATE bellwire.deliveries SET sequence = 0 WHERE id IN (
    SELECT d.id FROM c
    CROSS JOIN LATERAL (
        SELECT id FROM bellwire.deliveries
        WHERE endpoint = c.endpoint AND ordered AND due_at IS NOT NULL
        ORDER BY sequence LIMIT $5
    ) d
    WHERE c.ordering <> $6
)
