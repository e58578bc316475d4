-- The times of a tenant's events grow strictly, whichever nodes store them. A row has the time of the tenant's last event,
-- and that of the last one before the append that has stored it, to which this append's events count on. Appends of the
-- same tenant wait for each other here, from where their events are written to the commit.
CREATE TABLE bellwire.clocks (
    tenant bigint      NOT NULL PRIMARY KEY,
    before timestamptz NOT NULL, -- the last append
    events integer     NOT NULL, -- of the last append
    last   timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000); -- rows are updated in place
