-- Ids of events, deliveries, attempts and keys are UUIDv7, whose first 48 bits are the time: what is partitioned by
-- them is partitioned by time. Tenants and endpoints are referred to by n, so that a deleted tenant's id is free at
-- once while Purge removes what is left, and so that index entries stay small.

-- All changes of configuration are numbered by this, so that no revision ever comes twice, not even when a tenant is
-- deleted and made again.
CREATE SEQUENCE bellwire.revisions START 2;

INSERT INTO bellwire.meta (name, number) VALUES ('operator_revision', 1);

CREATE TABLE bellwire.tenants (
    n          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text        NOT NULL,
    name       text        NOT NULL,
    metadata   text        NOT NULL, -- JSON
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision   bigint      NOT NULL,
    deleted_at timestamptz
) WITH (fillfactor = 70); -- appends lock its rows and changes update them in place
CREATE UNIQUE INDEX tenants_id ON bellwire.tenants (id) WHERE deleted_at IS NULL;
CREATE INDEX tenants_deleted ON bellwire.tenants (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE bellwire.keys (
    id         uuid        PRIMARY KEY,
    tenant     bigint      NOT NULL, -- 0: the operator's
    name       text        NOT NULL,
    role       text        NOT NULL,
    hash       bytea       NOT NULL,
    sealed     bytea,
    created_at timestamptz NOT NULL
);
CREATE INDEX keys_tenant ON bellwire.keys (tenant, id);

CREATE TABLE bellwire.event_types (
    n           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL UNIQUE,
    grouping    text        NOT NULL,
    description text        NOT NULL,
    schema      bytea,
    example     bytea,
    archived    boolean     NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE bellwire.endpoints (
    n             bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text             NOT NULL UNIQUE,
    tenant        bigint           NOT NULL,
    shard         smallint         NOT NULL,
    revision      bigint           NOT NULL,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL,
    deleted_at    timestamptz,
    status        text             NOT NULL,
    status_reason text             NOT NULL,
    ordering      text             NOT NULL,
    dialect       text             NOT NULL,
    url           text             NOT NULL,
    description   text             NOT NULL,
    events        text             NOT NULL, -- JSON
    retry         text             NOT NULL, -- JSON
    rate_limit    double precision NOT NULL,
    max_in_flight bigint           NOT NULL,
    signing       text             NOT NULL,
    metadata      text             NOT NULL, -- JSON
    extra         text             NOT NULL, -- JSON
    sealed        bytea
);
CREATE INDEX endpoints_tenant ON bellwire.endpoints (tenant, n) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_deleted ON bellwire.endpoints (tenant, n) WHERE deleted_at IS NOT NULL;

-- The last number given to an ordered delivery. It is apart from the endpoint, because each update writes a whole row.
CREATE TABLE bellwire.sequences (
    endpoint bigint PRIMARY KEY REFERENCES bellwire.endpoints (n) ON DELETE CASCADE,
    last     bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE bellwire.events (
    id              uuid        NOT NULL,
    tenant          bigint      NOT NULL,
    type            text        NOT NULL,
    idempotency_key text,
    occurred_at     timestamptz,
    created_at      timestamptz NOT NULL,
    test            boolean     NOT NULL,
    deliveries      integer     NOT NULL,
    data            bytea       NOT NULL,
    PRIMARY KEY (tenant, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_type ON bellwire.events (tenant, type, id);

CREATE TABLE bellwire.idempotency_keys (
    tenant     bigint  NOT NULL,
    key        text    NOT NULL,
    event      uuid    NOT NULL,
    digest     bytea   NOT NULL,
    deliveries integer NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE TABLE bellwire.deliveries (
    id           uuid        NOT NULL PRIMARY KEY,
    event        uuid        NOT NULL,
    tenant       bigint      NOT NULL,
    endpoint     bigint      NOT NULL,
    status       smallint    NOT NULL, -- 0 pending, 1 retrying, 2 succeeded, 3 exhausted, 4 canceled
    reason       text        NOT NULL,
    attempts     integer     NOT NULL,
    retries      integer     NOT NULL,
    sequence     bigint      NOT NULL, -- 0: outside any order
    ordered      boolean     NOT NULL GENERATED ALWAYS AS (sequence > 0) STORED,
    epoch        bigint      NOT NULL, -- taken into memory in this epoch by the schedule
    manual_epoch bigint,               -- NULL: no retry by hand is asked for; else the same for that
    due_at       timestamptz,          -- NULL: not on the schedule
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX deliveries_event ON bellwire.deliveries (event);
CREATE INDEX deliveries_tenant ON bellwire.deliveries (tenant, status, id);
-- Lists of an endpoint, and the schedule of what is pending: that is due since it was made, so that it lies by id.
CREATE INDEX deliveries_endpoint ON bellwire.deliveries (status, ordered, endpoint, id);
-- The rest of the schedule: what is retrying lies by due time, and what has an order by its number. No index holds the
-- epoch, so that a claim changes no index.
CREATE INDEX deliveries_retrying ON bellwire.deliveries (endpoint, due_at, id) WHERE status = 1 AND NOT ordered;
CREATE INDEX deliveries_ordered ON bellwire.deliveries (endpoint, sequence) WHERE ordered AND due_at IS NOT NULL;
CREATE INDEX deliveries_manual ON bellwire.deliveries (endpoint, id) WHERE manual_epoch IS NOT NULL;

CREATE TABLE bellwire.attempts (
    delivery      uuid        NOT NULL,
    number        integer     NOT NULL,
    id            uuid        NOT NULL,
    trigger       text        NOT NULL,
    started_at    timestamptz NOT NULL,
    outcome       text        NOT NULL,
    error         text        NOT NULL,
    status        integer,             -- of the response; NULL: there was none
    details       bytea       NOT NULL, -- JSON: timings, request and response
    response_body bytea,
    PRIMARY KEY (delivery, number)
) PARTITION BY RANGE (delivery);

-- What falls into no other partition is not refused.
CREATE TABLE bellwire.events_default PARTITION OF bellwire.events DEFAULT;
CREATE TABLE bellwire.deliveries_default PARTITION OF bellwire.deliveries DEFAULT WITH (fillfactor = 85);
CREATE TABLE bellwire.attempts_default PARTITION OF bellwire.attempts DEFAULT;

-- Nodes renew their leases by counting. Whether one has died is told from a count that stands still, so that no two
-- clocks are ever compared.
CREATE TABLE bellwire.nodes (
    id          text   PRIMARY KEY,
    incarnation uuid   NOT NULL, -- of the process that has the name
    renewals    bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE bellwire.shards (
    shard smallint PRIMARY KEY,
    node  text,             -- NULL: nobody's
    epoch bigint   NOT NULL -- grows with each change of owner
);
INSERT INTO bellwire.shards (shard, epoch) SELECT shard, 0 FROM generate_series(0, 255) AS shard;
