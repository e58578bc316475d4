-- Statistics. Each transaction that stores events or attempts adds a delta, which is moved into the rows later.
CREATE TABLE bellwire.statistics_deltas (
    n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    data    bytea  NOT NULL,
    counted smallint[] -- the places of the attempts that count; NULL: all
);
ALTER TABLE bellwire.statistics_deltas ALTER COLUMN data SET STORAGE EXTERNAL;

-- A row counts what happened in one interval. It has several views of the same, of which a question reads one.
CREATE TABLE bellwire.statistics (
    tenant    bigint      NOT NULL, -- 0: all tenants together
    length    smallint    NOT NULL, -- of the interval: 0 minute, 1 hour, 2 day
    at        timestamptz NOT NULL, -- when it begins
    total     bytea       NOT NULL,
    endpoints bytea       NOT NULL,
    types     bytea       NOT NULL,
    cells     bytea       NOT NULL, -- by endpoint and type
    PRIMARY KEY (tenant, length, at)
) WITH (fillfactor = 70);
CREATE INDEX statistics_age ON bellwire.statistics (length, at);

-- The node that moves deltas holds this row until that is committed.
INSERT INTO bellwire.meta (name) VALUES ('statistics');
