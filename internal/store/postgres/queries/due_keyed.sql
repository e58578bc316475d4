-- The endpoints of the node's shards that are no longer ordered by key and have deliveries in that order: these are due at once,
-- to be claimed and freed of it.
-- $1 and $2: the bounds of the partitions; $3: the endpoint after which to begin in each; $4: the epochs of the shards, 0 where the
-- node does not own one; $5: now. After 512 endpoints of a partition, a row says where to go on.
WITH RECURSIVE step (span, first, next, number, endpoint) AS (
    SELECT span.number, span.first, span.next, 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordering_key IS NOT NULL AND status <= 1 AND id >= span.first AND id < span.next AND endpoint > span.after
    )
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS span (first, next, after, number)
    UNION ALL
    SELECT step.span, step.first, step.next, step.number + 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE ordering_key IS NOT NULL AND status <= 1 AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL AND step.number < 512
)
SELECT p.id, t.id, $5::timestamptz, 0, 0
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint AND p.ordering <> 'key'
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($4::bigint[])[p.shard + 1] > 0
UNION ALL
SELECT '', '', $5::timestamptz, span, endpoint FROM step WHERE number = 512 AND endpoint IS NOT NULL
