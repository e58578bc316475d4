-- Events that wait to be matched, of the tenants that the node owns, from the tenant after $2. Tenants take turns: the query
-- steps through an index from tenant to tenant, so that one with a million events delays no other.
-- $1: the epochs of the shards, 0 where the node does not own one; $3: how many tenants; $4: how many events of each;
-- $5: how many bytes of data in all, and $8: of each tenant, after which only one event may follow; $6: how many events;
-- $7: the ids of tenants to leave out.
WITH RECURSIVE step (tenant) AS (
    (SELECT min(tenant) FROM bellwire.unmatched WHERE retry_at IS NULL AND tenant > $2)
    UNION ALL
    SELECT (SELECT min(tenant) FROM bellwire.unmatched WHERE retry_at IS NULL AND tenant > step.tenant)
    FROM step WHERE step.tenant IS NOT NULL
), turn AS (
    SELECT tenant FROM step
    WHERE ($1::bigint[])[tenant % 256 + 1] > 0
        AND tenant <> ALL (ARRAY(SELECT n FROM bellwire.tenants WHERE id = ANY($7::text[]) AND deleted_at IS NULL))
    LIMIT $3
), u AS (
    SELECT next.*,
        sum(octet_length(next.data)) OVER (ORDER BY next.tenant, next.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS carried,
        sum(octet_length(next.data)) OVER (PARTITION BY next.tenant ORDER BY next.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS own
    FROM turn
    CROSS JOIN LATERAL (
        SELECT * FROM bellwire.unmatched WHERE tenant = turn.tenant AND retry_at IS NULL ORDER BY n LIMIT $4
    ) next
)
SELECT u.tenant, u.event, coalesce(t.id, ''), u.type, coalesce(u.idempotency_key, ''), NULL::timestamptz, u.created_at, false, 0,
    coalesce(u.problem, ''), u.data, u.deliver_at, u.expires_at, coalesce(u.ordering_key, ''), '', NULL::bytea, false, coalesce(u.version, 0)
FROM u
LEFT JOIN bellwire.tenants t ON t.n = u.tenant AND t.deleted_at IS NULL
WHERE (u.carried IS NULL OR u.carried < $5) AND (u.own IS NULL OR u.own < $8)
ORDER BY u.tenant, u.n LIMIT $6
