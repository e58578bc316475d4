-- Deliveries that are left to FanOut, of events that are stored. A row is about events of one publication that follow each
-- other and have the same recipients.
CREATE TABLE bellwire.fanouts (
    tenant    bigint        NOT NULL,
    at        timestamptz   NOT NULL, -- the first event's time
    events    uuid[]        NOT NULL,
    times     timestamptz[] NOT NULL, -- of the events
    endpoints bigint[]      NOT NULL, -- the recipients' n; negative: it keeps an order
    total     bigint        NOT NULL, -- deliveries
    done      bigint        NOT NULL, -- how many of them are stored, in the order of columns.FanOutPlace
    PRIMARY KEY (tenant, at)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000); -- rows come and go

-- How many deliveries of a tenant are left to FanOut. Tenants without any have no row. Who stores some of them holds the row.
CREATE TABLE bellwire.fanout_tenants (
    tenant  bigint NOT NULL PRIMARY KEY,
    waiting bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
