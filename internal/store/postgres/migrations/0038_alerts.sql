-- The e-mail addresses that are told of operational events.
DROP TABLE bellwire.alerts;
DROP TABLE bellwire.alert_addresses;
CREATE TABLE bellwire.alert_addresses (
    address text        NOT NULL PRIMARY KEY,
    sent_at timestamptz -- when the last digest was sent; NULL: none was
);

-- What the next digests to these addresses report.
CREATE TABLE bellwire.alerts (
    n       bigint      GENERATED ALWAYS AS IDENTITY,
    address text        NOT NULL,
    type    text        NOT NULL,
    at      timestamptz NOT NULL,
    data    bytea       NOT NULL, -- JSON, as in an operational event, without the members that changed
    PRIMARY KEY (address, n)
);
