-- When the longest waiting delivery with a sequence number became due, among the first of each endpoint, claimed or not.
-- $1 and $2: the bounds of the partitions.
WITH RECURSIVE step (first, next, endpoint, sequence, due_at) AS (
    SELECT span.first, span.next, d.endpoint, d.sequence, d.due_at
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    CROSS JOIN LATERAL (
        SELECT endpoint, sequence, due_at FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= span.first AND id < span.next
        ORDER BY endpoint, sequence LIMIT 1
    ) d
    UNION ALL
    SELECT step.first, step.next, d.endpoint, d.sequence, d.due_at
    FROM step
    CROSS JOIN LATERAL (
        SELECT endpoint, sequence, due_at FROM bellwire.deliveries
        WHERE ordered AND due_at IS NOT NULL AND id >= step.first AND id < step.next AND endpoint > step.endpoint
        ORDER BY endpoint, sequence LIMIT 1
    ) d
)
SELECT min(step.due_at)
FROM (SELECT DISTINCT ON (endpoint) endpoint, due_at FROM step ORDER BY endpoint, sequence) step
JOIN bellwire.endpoints p ON p.n = step.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
