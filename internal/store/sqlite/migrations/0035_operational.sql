-- Operational events are published to the tenant itself. Those about all tenants go to the tenant "bellwire", if it has this set: a
-- tenant of that name from before has not.
ALTER TABLE tenants ADD COLUMN operational_events INTEGER NOT NULL DEFAULT 0;

-- Operational events that are to be published. Numbers are never used again.
CREATE TABLE operational_events (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT    NOT NULL, -- the idempotency key
    tenant   TEXT    NOT NULL, -- the id of the tenant to which it is published
    type     TEXT    NOT NULL,
    endpoint TEXT    NOT NULL, -- that it is about; '': none
    at       INTEGER NOT NULL,
    data     BLOB    NOT NULL, -- JSON
    taken    INTEGER NOT NULL  -- it may have been published, and must not change any more
) STRICT;

-- What e-mails are to report, and what they have reported.
CREATE TABLE alerts (
    n    INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT    NOT NULL,
    data BLOB    NOT NULL -- JSON, as in an operational event
) STRICT;
CREATE TABLE alert_addresses (
    address TEXT    NOT NULL PRIMARY KEY,
    mailed  INTEGER NOT NULL, -- the last alert that was reported
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
