-- Lists of what a job has done. What comes from no job pays nothing.
CREATE INDEX deliveries_job ON bellwire.deliveries (job, status, id) WHERE job IS NOT NULL;

-- Lists of endpoints by health do not pass over those that fail.
CREATE INDEX endpoint_health_well ON bellwire.endpoint_health (endpoint) WHERE state = 0;

-- A bulk job is over all tenants, and has a job of each tenant with something to do.
ALTER TABLE bellwire.jobs ADD COLUMN bulk uuid; -- the bulk job that it is a part of; NULL: none
CREATE INDEX jobs_bulk ON bellwire.jobs (bulk, id) WHERE bulk IS NOT NULL;
