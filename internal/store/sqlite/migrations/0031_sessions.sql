-- Sessions of people in browsers.
CREATE TABLE sessions (
    id              BLOB    NOT NULL PRIMARY KEY,
    kind            TEXT    NOT NULL, -- console or portal
    tenant          INTEGER NOT NULL, -- of a portal session; 0 for the console
    key             BLOB    NOT NULL, -- that made it; zero for the configured admin key
    key_check       BLOB,
    role            TEXT    NOT NULL,
    capabilities    INTEGER NOT NULL,
    origins         TEXT    NOT NULL,
    theme           TEXT    NOT NULL,
    token           BLOB, -- SHA-256; null until the code is exchanged
    code            BLOB, -- SHA-256; null for none
    code_expires_at INTEGER,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    last_used_at    INTEGER,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_tenant ON sessions (kind, tenant, id);
CREATE INDEX sessions_key ON sessions (key, kind, id);
CREATE INDEX sessions_expires ON sessions (expires_at);
