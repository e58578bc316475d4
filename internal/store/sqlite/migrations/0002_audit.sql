-- Who asked for what. Tenants are named, not referred to: what was asked stays on record when they are gone.
CREATE TABLE audit (
    n             INTEGER NOT NULL PRIMARY KEY,
    id            BLOB    NOT NULL,
    at            INTEGER NOT NULL,
    tenant        TEXT    NOT NULL,
    key           BLOB    NOT NULL, -- zeros: the configured admin key
    method        TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    principal     TEXT    NOT NULL,
    justification TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, n);
CREATE INDEX audit_expires ON audit (expires_at);

-- What keys have signed requests with, as long as such a request would still be taken.
CREATE TABLE nonces (
    key        BLOB    NOT NULL,
    nonce      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (key, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_expires ON nonces (expires_at);
