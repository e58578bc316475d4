-- The endpoints of the node's shards that have a free delivery with a sequence number, with the time of the first one.
-- A number means nothing at an endpoint that is no longer FIFO: its delivery is due at once, to be claimed and freed of it.
-- $1 and $2: the bounds of the partitions; $3: the endpoint after which to begin in each; $4: the epochs of the shards, 0 where the
-- node does not own one; $5: now. After 512 endpoints of a partition, a row says where to go on.
WITH RECURSIVE step (span, first, next, number, endpoint) AS (
    SELECT span.number, span.first, span.next, 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= span.first AND id < span.next AND endpoint > span.after
    )
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS span (first, next, after, number)
    UNION ALL
    SELECT step.span, step.first, step.next, step.number + 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL AND step.number < 512
)
SELECT p.id, t.id, CASE
        WHEN p.ordering <> 'fifo' THEN least(d.created_at, $5::timestamptz)
        WHEN d.status = 0 THEN least(d.due_at, $5::timestamptz)
        ELSE d.due_at
    END, 0, 0
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT status, due_at, created_at FROM bellwire.deliveries
    WHERE endpoint = step.endpoint AND ordered AND due_at IS NOT NULL AND epoch <> ($4::bigint[])[p.shard + 1]
    ORDER BY sequence LIMIT 1
) d
WHERE ($4::bigint[])[p.shard + 1] > 0
UNION ALL
SELECT '', '', $5::timestamptz, span, endpoint FROM step WHERE number = 512 AND endpoint IS NOT NULL
