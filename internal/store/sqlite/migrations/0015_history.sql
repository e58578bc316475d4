-- The history of each endpoint, also of a deleted one. It outlives the endpoint's row, and so has the endpoint's id.
CREATE TABLE endpoint_histories (
    n          INTEGER NOT NULL PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    endpoint   TEXT    NOT NULL,
    first      INTEGER NOT NULL, -- the numbers of the changes that are kept
    last       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL, -- of their JSON columns
    deleted_at INTEGER           -- when the endpoint was deleted
) STRICT;
CREATE UNIQUE INDEX endpoint_histories_endpoint ON endpoint_histories (tenant, endpoint);
CREATE INDEX endpoint_histories_tenant ON endpoint_histories (tenant, n);
CREATE INDEX endpoint_histories_deleted ON endpoint_histories (tenant, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE endpoint_changes (
    history  INTEGER NOT NULL,
    number   INTEGER NOT NULL, -- from 1 within the history
    clock    INTEGER NOT NULL, -- the time of the tenant's last event before the change, as events.created_at
    at       INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    actor    TEXT    NOT NULL, -- JSON, as all that follow
    before   TEXT    NOT NULL,
    after    TEXT    NOT NULL,
    standing TEXT    NOT NULL, -- after the change
    PRIMARY KEY (history, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoint_changes_clock ON endpoint_changes (history, clock, number);

-- The histories of present endpoints begin with the state that they have.
INSERT INTO endpoint_histories (tenant, endpoint, first, last, bytes)
    SELECT tenant, id, 1, 1, 0 FROM endpoints WHERE deleted_at IS NULL ORDER BY n;
INSERT INTO endpoint_changes (history, number, clock, at, action, actor, before, after, standing)
    SELECT h.n, 1, p.updated_at, p.updated_at, 'found', '{"Kind":"unknown"}', '{}', '{}', json_object(
        'Status', p.status, 'Events', json(p.events), 'Since', strftime('%Y-%m-%dT%H:%M:%S', p.updated_at / 1000000, 'unixepoch') || printf('.%06dZ', p.updated_at % 1000000),
        'By', json('{"Kind":"unknown"}'))
    FROM endpoint_histories h JOIN endpoints p ON p.id = h.endpoint;
UPDATE endpoint_histories AS h SET bytes = (SELECT octet_length(actor) + octet_length(before) + octet_length(after) + octet_length(standing)
    FROM endpoint_changes WHERE history = h.n);
