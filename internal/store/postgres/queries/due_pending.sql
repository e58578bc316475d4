-- The endpoints of the node's shards that have a free pending delivery, with the time of the first one in each partition.
-- $1 and $2: the bounds of the partitions; $3: the epochs of the shards, 0 where the node does not own one; $4: now.
-- A delivery that has not been attempted is due even if the clock was set back since it was stored.
WITH RECURSIVE step (first, next, endpoint) AS (
    SELECT span.first, span.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE status = 0 AND NOT ordered AND id >= span.first AND id < span.next
    )
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    UNION ALL
    SELECT step.first, step.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE status = 0 AND NOT ordered AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL
)
SELECT p.id, t.id, least(d.due_at, $4::timestamptz)
FROM step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT due_at FROM bellwire.deliveries
    WHERE endpoint = step.endpoint AND status = 0 AND NOT ordered AND id >= step.first AND id < step.next
        AND due_at IS NOT NULL AND epoch <> ($3::bigint[])[p.shard + 1]
    ORDER BY id LIMIT 1
) d
WHERE ($3::bigint[])[p.shard + 1] > 0
