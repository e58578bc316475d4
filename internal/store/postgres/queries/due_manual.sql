-- The endpoints of the node's shards that have a free manual retry. A deleted endpoint counts only while it has open
-- deliveries, which are to be canceled.
-- $1 and $2: the bounds of the partitions; $3: the epochs of the shards, 0 where the node does not own one.
WITH RECURSIVE step (first, next, endpoint) AS (
    SELECT span.first, span.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE manual_epoch IS NOT NULL AND id >= span.first AND id < span.next
    )
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    UNION ALL
    SELECT step.first, step.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE manual_epoch IS NOT NULL AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL
)
SELECT p.id, t.id
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($3::bigint[])[p.shard + 1] > 0
    AND EXISTS (
        SELECT FROM bellwire.deliveries
        WHERE endpoint = step.endpoint AND manual_epoch IS NOT NULL AND manual_epoch <> ($3::bigint[])[p.shard + 1]
    )
    AND (p.deleted_at IS NULL
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 0 AND NOT ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 0 AND ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status IN (1, -1) AND NOT ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 1 AND ordered))
