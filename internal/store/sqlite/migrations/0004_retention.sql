-- Publishers' ids whose event is gone, and when they may go too.
CREATE TABLE expiring_keys (
    expires_at INTEGER NOT NULL,
    tenant     INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    event      BLOB    NOT NULL,
    PRIMARY KEY (expires_at, tenant, key)
) STRICT, WITHOUT ROWID;
