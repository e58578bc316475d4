-- Free pending deliveries without order, oldest first. They are due even if the clock was set back since they were stored.
-- $1 to $4: the claims' places, endpoints, shards and epochs; $5: how many to find, by place; $6: now; $7: whether also those that
-- were stored to be forwarded in the epoch, by place; $8: those of them that are not wanted. These must not be locked either: their
-- outcomes may just be being recorded, in another order.
WITH c AS MATERIALIZED (
    SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
    FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
    JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
    JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
)
SELECT c.place, d.id, least(d.due_at, $6::timestamptz), d.sequence, octet_length(e.data)
FROM c
CROSS JOIN LATERAL (
    SELECT id, tenant, event, status, due_at, sequence FROM bellwire.deliveries
    WHERE endpoint = c.endpoint AND status = 0 AND NOT ordered AND due_at IS NOT NULL AND epoch <> c.epoch
        AND (epoch <> -c.epoch OR ($7::boolean[])[c.place + 1]) AND id NOT IN (SELECT unnest($8::uuid[]))
    ORDER BY id LIMIT ($5::int[])[c.place + 1] FOR UPDATE
) d
CROSS JOIN LATERAL (SELECT data FROM bellwire.events WHERE tenant = d.tenant AND id = d.event OFFSET 0) e
