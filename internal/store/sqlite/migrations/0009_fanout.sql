-- Deliveries that are left to FanOut, of events that are stored. A row is about events that follow each other and have the
-- same recipients.
CREATE TABLE fanouts (
    tenant     INTEGER NOT NULL,
    event      INTEGER NOT NULL, -- the first event's n
    events     INTEGER NOT NULL, -- how many, of which each n is one more than that before
    recipients INTEGER NOT NULL, -- how many
    done       INTEGER NOT NULL, -- how many deliveries are stored, in the order of columns.FanOutPlace
    endpoints  BLOB    NOT NULL, -- the recipients' n, and which of them keep an order
    PRIMARY KEY (tenant, event)
) STRICT, WITHOUT ROWID;

-- How many deliveries of a tenant are left to FanOut. Tenants without any have no row.
CREATE TABLE fanout_tenants (
    tenant  INTEGER NOT NULL PRIMARY KEY,
    waiting INTEGER NOT NULL
) STRICT;
