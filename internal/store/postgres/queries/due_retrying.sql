-- The endpoints of the node's shards that have a free delivery to be retried, or of an event to be delivered later, with the time
-- of the first one in each partition.
-- $1 and $2: the bounds of the partitions; $3: the endpoint after which to begin in each; $4: the epochs of the shards, 0 where the
-- node does not own one; $5: now.
-- A step reads 32 deliveries, and passes over what the last of their endpoints has more. So it takes few steps if many endpoints have
-- few deliveries each, and few are read if they have many. After 64 steps in a partition, a row says where to go on.
WITH RECURSIVE step (span, first, next, number, endpoints, due, epochs) AS (
    SELECT span.number, span.first, span.next, 1, d.*
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS span (first, next, after, number)
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at), array_agg(epoch) FROM (
            SELECT endpoint, due_at, epoch FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= span.first AND id < span.next AND endpoint > span.after
            ORDER BY endpoint, due_at, id LIMIT 32
        ) d
    ) d
    UNION ALL
    SELECT step.span, step.first, step.next, step.number + 1, d.*
    FROM step
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at), array_agg(epoch) FROM (
            SELECT endpoint, due_at, epoch FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next AND endpoint > step.endpoints[32]
            ORDER BY endpoint, due_at, id LIMIT 32
        ) d
    ) d
    WHERE step.endpoints[32] IS NOT NULL AND step.number < 64
)
SELECT p.id, t.id, d.due_at, 0, 0
FROM (
    SELECT endpoint, epoch, min(due_at) AS due_at
    FROM step CROSS JOIN LATERAL unnest(endpoints, due, epochs) AS d (endpoint, due_at, epoch)
    WHERE due_at IS NOT NULL
    GROUP BY endpoint, epoch
) d
JOIN bellwire.endpoints p ON p.n = d.endpoint AND d.epoch <> ($4::bigint[])[p.shard + 1]
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($4::bigint[])[p.shard + 1] > 0
UNION ALL
SELECT p.id, t.id, d.due_at, 0, 0
FROM step
JOIN bellwire.endpoints p ON p.n = step.endpoints[32]
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT due_at FROM bellwire.deliveries
    WHERE endpoint = p.n AND status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next
        AND due_at IS NOT NULL AND epoch <> ($4::bigint[])[p.shard + 1]
    ORDER BY due_at, id LIMIT 1
) d
WHERE ($4::bigint[])[p.shard + 1] > 0
UNION ALL
SELECT '', '', $5::timestamptz, span, endpoints[32] FROM step WHERE number = 64 AND endpoints[32] IS NOT NULL
