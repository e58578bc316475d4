-- The e-mail addresses that are told of operational events.
DROP TABLE alerts;
DROP TABLE alert_addresses;
CREATE TABLE alert_addresses (
    address TEXT    NOT NULL PRIMARY KEY,
    sent_at INTEGER -- when the last digest was sent; NULL: none was
) STRICT, WITHOUT ROWID;

-- What the next digests to these addresses report. Numbers are never used again.
CREATE TABLE alerts (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    data    BLOB    NOT NULL -- JSON, as in an operational event, without the members that changed
) STRICT;
CREATE INDEX alerts_by_address ON alerts (address, n);
