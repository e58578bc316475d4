-- The endpoints of the node's shards that are no longer ordered by key and have deliveries in that order: these are due at once,
-- to be claimed and freed of it.
-- $1 and $2: the bounds of the partitions; $3: the epochs of the shards, 0 where the node does not own one; $4: now.
WITH RECURSIVE step (first, next, endpoint) AS (
    SELECT span.first, span.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordering_key IS NOT NULL AND status <= 1 AND id >= span.first AND id < span.next
    )
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    UNION ALL
    SELECT step.first, step.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordering_key IS NOT NULL AND status <= 1 AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL
)
SELECT p.id, t.id, $4::timestamptz
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint AND p.ordering <> 'key'
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($3::bigint[])[p.shard + 1] > 0
