-- The endpoints of the node's shards that have a free delivery to be retried, or of an event to be delivered later, with the time
-- of the first one in each partition.
-- $1 and $2: the bounds of the partitions; $3: the epochs of the shards, 0 where the node does not own one.
-- A step reads 16 deliveries, and passes over what the last of their endpoints has more. So it takes few steps if many endpoints have
-- few deliveries each, and few are read if they have many.
WITH RECURSIVE step (first, next, endpoints, due, epochs) AS (
    SELECT span.first, span.next, d.*
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at), array_agg(epoch) FROM (
            SELECT endpoint, due_at, epoch FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= span.first AND id < span.next
            ORDER BY endpoint, due_at, id LIMIT 16
        ) d
    ) d
    UNION ALL
    SELECT step.first, step.next, d.*
    FROM step
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at), array_agg(epoch) FROM (
            SELECT endpoint, due_at, epoch FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next AND endpoint > step.endpoints[16]
            ORDER BY endpoint, due_at, id LIMIT 16
        ) d
    ) d
    WHERE step.endpoints[16] IS NOT NULL
)
SELECT p.id, t.id, d.due_at
FROM (
    SELECT endpoint, min(due_at) AS due_at
    FROM step CROSS JOIN LATERAL unnest(endpoints, due, epochs) AS d (endpoint, due_at, epoch)
    JOIN bellwire.endpoints p ON p.n = d.endpoint
    WHERE d.due_at IS NOT NULL AND d.epoch <> ($3::bigint[])[p.shard + 1]
    GROUP BY 1
    UNION ALL
    SELECT p.n, d.due_at
    FROM step
    JOIN bellwire.endpoints p ON p.n = step.endpoints[16]
    CROSS JOIN LATERAL (
        SELECT due_at FROM bellwire.deliveries
        WHERE endpoint = p.n AND status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next
            AND due_at IS NOT NULL AND epoch <> ($3::bigint[])[p.shard + 1]
        ORDER BY due_at, id LIMIT 1
    ) d
) d
JOIN bellwire.endpoints p ON p.n = d.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($3::bigint[])[p.shard + 1] > 0
