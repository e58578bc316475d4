-- The endpoints of the node's shards that have a free delivery with a sequence number, with the time of the first one.
-- $1 and $2: the bounds of the partitions; $3: the epochs of the shards, 0 where the node does not own one; $4: now.
-- A number means nothing at an endpoint that is no longer FIFO: its delivery is due at once, to be claimed and freed of it.
WITH RECURSIVE step (first, next, endpoint) AS (
    SELECT span.first, span.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= span.first AND id < span.next
    )
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    UNION ALL
    SELECT step.first, step.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL
)
SELECT p.id, t.id, CASE
        WHEN p.ordering <> 'fifo' THEN least(d.created_at, $4::timestamptz)
        WHEN d.status = 0 THEN least(d.due_at, $4::timestamptz)
        ELSE d.due_at
    END
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT status, due_at, created_at FROM bellwire.deliveries
    WHERE endpoint = step.endpoint AND ordered AND due_at IS NOT NULL AND epoch <> ($3::bigint[])[p.shard + 1]
    ORDER BY sequence LIMIT 1
) d
WHERE ($3::bigint[])[p.shard + 1] > 0
