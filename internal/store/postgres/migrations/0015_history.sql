-- The history of each endpoint, also of a deleted one. It outlives the endpoint's row, and so has the endpoint's id.
CREATE TABLE bellwire.endpoint_histories (
    n          bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     bigint  NOT NULL,
    endpoint   text    NOT NULL,
    first      bigint  NOT NULL, -- the numbers of the changes that are kept
    last       bigint  NOT NULL,
    bytes      bigint  NOT NULL, -- of their JSON columns
    deleted_at timestamptz       -- when the endpoint was deleted
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX endpoint_histories_endpoint ON bellwire.endpoint_histories (tenant, endpoint);
CREATE INDEX endpoint_histories_tenant ON bellwire.endpoint_histories (tenant, n);
CREATE INDEX endpoint_histories_deleted ON bellwire.endpoint_histories (tenant, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE bellwire.endpoint_changes (
    history  bigint      NOT NULL,
    number   bigint      NOT NULL, -- from 1 within the history
    clock    timestamptz NOT NULL, -- the time of the tenant's last event before the change, as events.created_at
    at       timestamptz NOT NULL,
    action   text        NOT NULL,
    actor    text        NOT NULL, -- JSON, as all that follow
    before   text        NOT NULL,
    after    text        NOT NULL,
    standing text        NOT NULL, -- after the change
    PRIMARY KEY (history, number)
);
CREATE INDEX endpoint_changes_clock ON bellwire.endpoint_changes (history, clock, number);

-- The histories of present endpoints begin with the state that they have.
INSERT INTO bellwire.endpoint_histories (tenant, endpoint, first, last, bytes)
    SELECT tenant, id, 1, 1, 0 FROM bellwire.endpoints WHERE deleted_at IS NULL ORDER BY n;
INSERT INTO bellwire.endpoint_changes (history, number, clock, at, action, actor, before, after, standing)
    SELECT h.n, 1, p.updated_at, p.updated_at, 'found', '{"Kind":"unknown"}', '{}', '{}', json_build_object(
        'Status', p.status, 'Events', p.events::json, 'Since', to_char(p.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'By', '{"Kind":"unknown"}'::json)::text
    FROM bellwire.endpoint_histories h JOIN bellwire.endpoints p ON p.id = h.endpoint;
UPDATE bellwire.endpoint_histories AS h SET bytes = octet_length(actor) + octet_length(before) + octet_length(after) + octet_length(standing)
    FROM bellwire.endpoint_changes c WHERE c.history = h.n;
