-- Operational events are published to the tenant itself. Those about all tenants go to the tenant "bellwire", if it has this set: a
-- tenant of that name from before has not.
ALTER TABLE bellwire.tenants ADD COLUMN operational_events boolean NOT NULL DEFAULT false;

-- Operational events that are to be published.
CREATE TABLE bellwire.operational_events (
    n        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text        NOT NULL, -- the idempotency key
    tenant   text        NOT NULL, -- the id of the tenant to which it is published
    type     text        NOT NULL,
    endpoint text        NOT NULL, -- that it is about; '': none
    at       timestamptz NOT NULL,
    data     bytea       NOT NULL, -- JSON
    taken    boolean     NOT NULL  -- it may have been published, and must not change any more
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What e-mails are to report, and what they have reported.
CREATE TABLE bellwire.alerts (
    n    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text   NOT NULL,
    data bytea  NOT NULL -- JSON, as in an operational event
);
CREATE TABLE bellwire.alert_addresses (
    address text        NOT NULL PRIMARY KEY,
    mailed  bigint      NOT NULL, -- the last alert that was reported
    at      timestamptz NOT NULL
);
