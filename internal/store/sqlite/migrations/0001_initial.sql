-- Ids of events, deliveries, attempts and keys are their 16 bytes. Times are microseconds since 1970, UTC.
-- Tenants and endpoints are referred to by n, so that a deleted tenant's id is free at once while Purge
-- removes what is left, and so that index entries stay small.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

-- One counter numbers all changes of configuration, so that no revision ever comes twice, not even when a
-- tenant is deleted and made again.
INSERT INTO meta (name, value) VALUES ('epoch', 0), ('revision', 1), ('operator_revision', 1);

CREATE TABLE tenants (
    n          INTEGER NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    metadata   TEXT    NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tenants_id ON tenants (id) WHERE deleted_at IS NULL;
CREATE INDEX tenants_deleted ON tenants (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant     INTEGER NOT NULL, -- 0: the operator's
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    sealed     BLOB,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_tenant ON keys (tenant, id);

CREATE TABLE event_types (
    n           INTEGER NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    grouping    TEXT    NOT NULL,
    description TEXT    NOT NULL,
    schema      BLOB,
    example     BLOB,
    archived    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE endpoints (
    n             INTEGER NOT NULL PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    tenant        INTEGER NOT NULL,
    sequence      INTEGER NOT NULL DEFAULT 0, -- the last number given to an ordered delivery
    revision      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleted_at    INTEGER,
    status        TEXT    NOT NULL,
    status_reason TEXT    NOT NULL,
    ordering      TEXT    NOT NULL,
    dialect       TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    events        TEXT    NOT NULL, -- JSON
    retry         TEXT    NOT NULL, -- JSON
    rate_limit    REAL    NOT NULL,
    max_in_flight INTEGER NOT NULL,
    signing       TEXT    NOT NULL,
    metadata      TEXT    NOT NULL, -- JSON
    extra         TEXT    NOT NULL, -- JSON
    sealed        BLOB
) STRICT;
CREATE INDEX endpoints_tenant ON endpoints (tenant, n) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_deleted ON endpoints (tenant, n) WHERE deleted_at IS NOT NULL;

-- The data comes last, so that the other columns are read without it.
CREATE TABLE events (
    n               INTEGER NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL,
    tenant          INTEGER NOT NULL,
    type            TEXT    NOT NULL,
    idempotency_key TEXT,
    occurred_at     INTEGER,
    created_at      INTEGER NOT NULL,
    test            INTEGER NOT NULL,
    deliveries      INTEGER NOT NULL,
    data            BLOB    NOT NULL
) STRICT;
-- New entries of the first all go to its end; those of the second are spread over the tenants and types, and each
-- place is a page to be written. So lists of any type merge types, and there is no third index for them.
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_type ON events (tenant, type, id);

CREATE TABLE idempotency_keys (
    tenant     INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    event      BLOB    NOT NULL,
    digest     BLOB    NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    id           BLOB    NOT NULL PRIMARY KEY,
    event        INTEGER NOT NULL,
    tenant       INTEGER NOT NULL,
    endpoint     INTEGER NOT NULL,
    status       INTEGER NOT NULL, -- 0 pending, 1 retrying, 2 succeeded, 3 exhausted, 4 canceled
    reason       TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    retries      INTEGER NOT NULL,
    sequence     INTEGER NOT NULL, -- 0: outside any order
    epoch        INTEGER NOT NULL, -- taken into memory in this epoch by the schedule
    manual_epoch INTEGER,          -- NULL: no retry by hand is asked for; else the same for that
    due_at       INTEGER,          -- NULL: not on the schedule
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_event ON deliveries (event, id);
-- A delivery is listed by status here once it is not pending any more: as most go from pending to succeeded, they
-- pay for one entry each. What is pending is listed by the schedule.
CREATE INDEX deliveries_tenant ON deliveries (tenant, status, id) WHERE status > 0;
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, status, id) WHERE status > 0;
-- The schedule. What is pending is due since it was made, so that it lies by id; what is retrying lies by due time,
-- and what has an order by its number, but its pending ones by id once more for lists.
CREATE INDEX deliveries_pending ON deliveries (endpoint, id, epoch, due_at) WHERE status = 0 AND sequence = 0;
CREATE INDEX deliveries_retrying ON deliveries (endpoint, due_at, id, epoch) WHERE status = 1 AND sequence = 0;
CREATE INDEX deliveries_ordered ON deliveries (endpoint, sequence, due_at, id, epoch)
    WHERE sequence > 0 AND due_at IS NOT NULL;
CREATE INDEX deliveries_numbered ON deliveries (endpoint, id) WHERE status = 0 AND sequence > 0;
CREATE INDEX deliveries_manual ON deliveries (endpoint, id, manual_epoch) WHERE manual_epoch IS NOT NULL;

CREATE TABLE attempts (
    n             INTEGER NOT NULL PRIMARY KEY,
    id            BLOB    NOT NULL,
    delivery      BLOB    NOT NULL,
    number        INTEGER NOT NULL,
    trigger       TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    outcome       TEXT    NOT NULL,
    error         TEXT    NOT NULL,
    status        INTEGER,       -- of the response; NULL: there was none
    details       BLOB    NOT NULL, -- JSON: timings, request and response
    response_body BLOB
) STRICT;
CREATE UNIQUE INDEX attempts_delivery ON attempts (delivery, number);
