-- What is kept about the attempts of each endpoint, apart from the endpoint because it changes often.
CREATE TABLE endpoint_health (
    endpoint         INTEGER NOT NULL PRIMARY KEY,
    state            INTEGER NOT NULL DEFAULT 0, -- 0 healthy, 1 failing, 2 recovering
    since            INTEGER,
    last_success_at  INTEGER,
    last_failure_at  INTEGER,
    last_error       TEXT    NOT NULL DEFAULT '',
    failures         INTEGER NOT NULL DEFAULT 0, -- in a row
    successes        INTEGER NOT NULL DEFAULT 0, -- in a row, while recovering
    first_failure_at INTEGER,                    -- of those in a row
    first_failed     BLOB,                       -- a delivery of its event
    others_since     INTEGER,                    -- the first failure in a row of another event
    breaker_open     INTEGER NOT NULL DEFAULT 0,
    held_until       INTEGER,
    epoch            INTEGER NOT NULL DEFAULT 0  -- of the last failure
) STRICT;
CREATE INDEX endpoint_health_unwell ON endpoint_health (state, endpoint) WHERE state > 0;

INSERT INTO endpoint_health (endpoint) SELECT n FROM endpoints;

CREATE TRIGGER endpoint_health_deleted AFTER DELETE ON endpoints BEGIN
    DELETE FROM endpoint_health WHERE endpoint = OLD.n;
END;

-- Lists over all tenants pass over tombstones.
CREATE INDEX endpoints_living ON endpoints (n) WHERE deleted_at IS NULL;
