-- Statistics. Each transaction that stores events or attempts adds a delta, which is moved into the rows later.
CREATE TABLE statistics_deltas (
    n    INTEGER NOT NULL PRIMARY KEY,
    data BLOB    NOT NULL
) STRICT;

-- A row counts what happened in one interval. It has several views of the same, of which a question reads one.
CREATE TABLE statistics (
    n         INTEGER NOT NULL PRIMARY KEY,
    tenant    INTEGER NOT NULL, -- 0: all tenants together
    length    INTEGER NOT NULL, -- of the interval: 0 minute, 1 hour, 2 day
    at        INTEGER NOT NULL, -- when it begins, in seconds since 1970
    total     BLOB    NOT NULL,
    endpoints BLOB    NOT NULL,
    types     BLOB    NOT NULL,
    cells     BLOB    NOT NULL  -- by endpoint and type
) STRICT;
CREATE UNIQUE INDEX statistics_at ON statistics (tenant, length, at);
CREATE INDEX statistics_age ON statistics (length, at);
