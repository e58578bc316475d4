-- What is kept about the attempts of each endpoint, apart from the endpoint because each update writes a whole row.
CREATE TABLE bellwire.endpoint_health (
    endpoint         bigint      PRIMARY KEY REFERENCES bellwire.endpoints (n) ON DELETE CASCADE,
    state            smallint    NOT NULL DEFAULT 0, -- 0 healthy, 1 failing, 2 recovering
    since            timestamptz,
    last_success_at  timestamptz,
    last_failure_at  timestamptz,
    last_error       text        NOT NULL DEFAULT '',
    failures         bigint      NOT NULL DEFAULT 0, -- in a row
    successes        bigint      NOT NULL DEFAULT 0, -- in a row, while recovering
    first_failure_at timestamptz,                    -- of those in a row
    first_failed     uuid,                           -- a delivery of its event
    others_since     timestamptz,                    -- the first failure in a row of another event
    breaker_open     boolean     NOT NULL DEFAULT false,
    held_until       timestamptz,
    epoch            bigint      NOT NULL DEFAULT 0  -- of the last failure
) WITH (fillfactor = 50); -- updates of a row find room beside it
CREATE INDEX endpoint_health_unwell ON bellwire.endpoint_health (state, endpoint) WHERE state > 0;

INSERT INTO bellwire.endpoint_health (endpoint) SELECT n FROM bellwire.endpoints;

-- Lists over all tenants pass over tombstones.
CREATE INDEX endpoints_living ON bellwire.endpoints (n) WHERE deleted_at IS NULL;
