-- When the longest waiting retry became due, among the first of each endpoint, claimed or not.
-- $1 and $2: the bounds of the partitions.
WITH RECURSIVE step (first, next, endpoint) AS (
    SELECT span.first, span.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE status IN (1, -1) AND NOT ordered AND id >= span.first AND id < span.next
    )
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    UNION ALL
    SELECT step.first, step.next, (
        SELECT min(endpoint) FROM bellwire.deliveries
        WHERE status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next AND endpoint > step.endpoint
    )
    FROM step WHERE step.endpoint IS NOT NULL
)
SELECT min(d.due_at)
FROM step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT due_at FROM bellwire.deliveries
    WHERE endpoint = step.endpoint AND status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next AND due_at IS NOT NULL
    ORDER BY due_at, id LIMIT 1
) d
