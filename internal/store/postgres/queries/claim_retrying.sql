-- Free deliveries without order that are to be retried, or are of events to be delivered later, by the time they are due.
-- $1 to $4: the claims' places, endpoints, shards and epochs; $5: how many to find, by place.
WITH c AS MATERIALIZED (
    SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
    FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
    JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
    JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
)
SELECT c.place, d.id, d.due_at, d.sequence, octet_length(e.data)
FROM c
CROSS JOIN LATERAL (
    SELECT id, tenant, event, status, due_at, sequence FROM bellwire.deliveries
    WHERE endpoint = c.endpoint AND status IN (1, -1) AND NOT ordered AND epoch <> c.epoch
    ORDER BY due_at, id LIMIT ($5::int[])[c.place + 1] FOR UPDATE
) d
CROSS JOIN LATERAL (SELECT data FROM bellwire.events WHERE tenant = d.tenant AND id = d.event OFFSET 0) e
