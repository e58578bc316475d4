-- When the longest waiting retry became due, among at least the first of each endpoint, claimed or not.
-- $1 and $2: the bounds of the partitions.
-- A step reads 16 deliveries, and passes over what the last of their endpoints has more. So it takes few steps if many endpoints have
-- few deliveries each, and few are read if they have many.
WITH RECURSIVE step (first, next, endpoints, due) AS (
    SELECT span.first, span.next, d.*
    FROM unnest($1::uuid[], $2::uuid[]) AS span (first, next)
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at) FROM (
            SELECT endpoint, due_at FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= span.first AND id < span.next AND due_at IS NOT NULL
            ORDER BY endpoint, due_at, id LIMIT 16
        ) d
    ) d
    UNION ALL
    SELECT step.first, step.next, d.*
    FROM step
    CROSS JOIN LATERAL (
        SELECT array_agg(endpoint), array_agg(due_at) FROM (
            SELECT endpoint, due_at FROM bellwire.deliveries
            WHERE status IN (1, -1) AND NOT ordered AND id >= step.first AND id < step.next AND due_at IS NOT NULL AND endpoint > step.endpoints[16]
            ORDER BY endpoint, due_at, id LIMIT 16
        ) d
    ) d
    WHERE step.endpoints[16] IS NOT NULL
)
SELECT min(d.due_at)
FROM step
CROSS JOIN LATERAL unnest(step.endpoints, step.due) AS d (endpoint, due_at)
JOIN bellwire.endpoints p ON p.n = d.endpoint
JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
