-- Jobs work on many deliveries of a tenant, in steps. The last columns are where the next step begins.
CREATE TABLE jobs (
    id          BLOB    NOT NULL PRIMARY KEY,
    tenant      INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    params      TEXT    NOT NULL, -- JSON
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    rate        REAL    NOT NULL,
    waiting     TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    finished_at INTEGER,          -- NULL: it has not ended
    steps       INTEGER NOT NULL,
    endpoint    TEXT    NOT NULL,
    event       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_tenant ON jobs (tenant, id);
CREATE INDEX jobs_open ON jobs (tenant, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- An event has several deliveries to an endpoint if it was replayed. The last one counts; jobs pass over those before it, and
-- over tests.
ALTER TABLE deliveries ADD COLUMN passed_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN restarted_at INTEGER; -- when its schedule was begun again; NULL: never
ALTER TABLE deliveries ADD COLUMN job BLOB;             -- that made it, or has retried it last; NULL: none
UPDATE deliveries SET passed_over = 1 WHERE event IN (SELECT n FROM events WHERE test = 1);
CREATE INDEX deliveries_passed_over ON deliveries (endpoint, status, id) WHERE passed_over = 1;
CREATE INDEX events_test ON events (tenant, type, id) WHERE test = 1;
