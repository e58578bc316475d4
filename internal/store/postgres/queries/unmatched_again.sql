-- Events that could not be matched before and are to be tried again, of the tenants that the node owns.
-- $1: the epochs of the shards, 0 where the node does not own one; $2: how many; $3: the ids of tenants to leave out.
SELECT u.tenant, u.event, coalesce(t.id, ''), u.type, coalesce(u.idempotency_key, ''), NULL::timestamptz, u.created_at, false, 0,
    coalesce(u.problem, ''), u.data, u.deliver_at, u.expires_at, coalesce(u.ordering_key, ''), '', NULL::bytea, false, coalesce(u.version, 0)
FROM (
    SELECT * FROM bellwire.unmatched
    WHERE retry_at <= statement_timestamp() AND ($1::bigint[])[tenant % 256 + 1] > 0
        AND tenant <> ALL (ARRAY(SELECT n FROM bellwire.tenants WHERE id = ANY($3::text[]) AND deleted_at IS NULL))
    ORDER BY retry_at LIMIT $2
) u
LEFT JOIN bellwire.tenants t ON t.n = u.tenant AND t.deleted_at IS NULL
