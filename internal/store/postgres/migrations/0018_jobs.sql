-- Jobs work on many deliveries of a tenant, in steps. The last columns are where the next step begins.
CREATE TABLE bellwire.jobs (
    id          uuid             NOT NULL PRIMARY KEY,
    tenant      bigint           NOT NULL,
    kind        text             NOT NULL,
    state       text             NOT NULL,
    params      text             NOT NULL, -- JSON
    total       bigint           NOT NULL,
    done        bigint           NOT NULL,
    skipped     bigint           NOT NULL,
    rate        double precision NOT NULL,
    waiting     text             NOT NULL,
    error       text             NOT NULL,
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL,
    finished_at timestamptz,               -- NULL: it has not ended
    steps       bigint           NOT NULL,
    endpoint    text             NOT NULL,
    event       uuid             NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000); -- each step updates a row in place
CREATE INDEX jobs_tenant ON bellwire.jobs (tenant, id);
CREATE INDEX jobs_open ON bellwire.jobs (tenant, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished ON bellwire.jobs (finished_at) WHERE finished_at IS NOT NULL;

-- Who creates a job holds this row until that is committed, so that jobs are counted exactly.
INSERT INTO bellwire.meta (name) VALUES ('jobs');

-- An event has several deliveries to an endpoint if it was replayed. The last one counts; jobs pass over those before it, and
-- over tests.
ALTER TABLE bellwire.deliveries ADD COLUMN passed_over boolean NOT NULL DEFAULT false,
    ADD COLUMN restarted_at timestamptz, -- when its schedule was begun again; NULL: never
    ADD COLUMN job uuid;                 -- that made it, or has retried it last; NULL: none
UPDATE bellwire.deliveries d SET passed_over = true FROM bellwire.events e WHERE e.test AND e.tenant = d.tenant AND e.id = d.event;
CREATE INDEX deliveries_passed_over ON bellwire.deliveries (status, endpoint, id) WHERE passed_over;
-- Events that are sent to nobody, and so are never missing.
CREATE INDEX events_aside ON bellwire.events (tenant, type, id) WHERE test OR problem IS NOT NULL;
