-- Takes deliveries out of the orders that their endpoints no longer keep, of numbers or of keys, so that they are found by their due
-- time. Each claim does this for some of them; those that are left are due at once. Endpoints that never had an order have no
-- counter.
-- $1 to $4: the claims' places, endpoints, shards and epochs; $5: how many of each order; $6: now.
WITH c AS MATERIALIZED (
    SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
    FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
    JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
    JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
    JOIN bellwire.sequences s ON s.endpoint = p.n
)
UPDATE bellwire.deliveries SET sequence = 0, ordering_key = NULL, place = NULL, status = greatest(status, 0::smallint),
    updated_at = CASE WHEN status = -2 THEN greatest($6::timestamptz, created_at + interval '1 microsecond') ELSE updated_at END
WHERE id IN (
    SELECT d.id FROM c
    CROSS JOIN LATERAL (
        SELECT id FROM bellwire.deliveries
        WHERE endpoint = c.endpoint AND ordered AND due_at IS NOT NULL
        ORDER BY sequence LIMIT $5
    ) d
    WHERE c.ordering <> 'fifo'
    UNION ALL
    SELECT d.id FROM c
    CROSS JOIN LATERAL (
        SELECT id FROM bellwire.deliveries
        WHERE endpoint = c.endpoint AND ordering_key IS NOT NULL AND status <= 1
        ORDER BY ordering_key, place LIMIT $5
    ) d
    WHERE c.ordering <> 'key'
)
RETURNING endpoint
