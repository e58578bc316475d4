-- The endpoints of the node's shards that have a free manual retry. A deleted endpoint counts only while it has open
-- deliveries, which are to be canceled.
-- $1 and $2: the bounds of the partitions; $3: the endpoint after which to begin in each; $4: the epochs of the shards, 0 where the
-- node does not own one; $5: now. After 512 endpoints of a partition, a row says where to go on.
WITH RECURSIVE step (span, first, next, number, endpoint) AS (
    SELECT span.number, span.first, span.next, 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE manual_epoch IS NOT NULL AND id >= span.first AND id < span.next AND endpoint > span.after
    )
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS span (first, next, after, number)
    UNION ALL
    SELECT step.span, step.first, step.next, step.number + 1, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE manual_epoch IS NOT NULL AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL AND step.number < 512
)
SELECT p.id, t.id, $5::timestamptz, 0, 0
FROM (SELECT DISTINCT endpoint FROM step WHERE endpoint IS NOT NULL) step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
WHERE ($4::bigint[])[p.shard + 1] > 0
    AND EXISTS (
        SELECT FROM bellwire.deliveries
        WHERE endpoint = step.endpoint AND manual_epoch IS NOT NULL AND manual_epoch <> ($4::bigint[])[p.shard + 1]
    )
    AND (p.deleted_at IS NULL
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 0 AND NOT ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 0 AND ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status IN (1, -1) AND NOT ordered)
        OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = step.endpoint AND status = 1 AND ordered))
UNION ALL
SELECT '', '', $5::timestamptz, span, endpoint FROM step WHERE number = 512 AND endpoint IS NOT NULL
