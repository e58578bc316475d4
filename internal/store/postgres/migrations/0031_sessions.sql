-- Sessions of people in browsers.
CREATE TABLE bellwire.sessions (
    id              uuid        PRIMARY KEY,
    kind            text        NOT NULL, -- console or portal
    tenant          bigint      NOT NULL, -- of a portal session; 0 for the console
    key             uuid        NOT NULL, -- that made it; zero for the configured admin key
    key_check       bytea,
    role            text        NOT NULL,
    capabilities    bigint      NOT NULL,
    origins         text        NOT NULL,
    theme           text        NOT NULL,
    token           bytea, -- SHA-256; null until the code is exchanged
    code            bytea, -- SHA-256; null for none
    code_expires_at timestamptz,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    address         text        NOT NULL,
    user_agent      text        NOT NULL
);
CREATE INDEX sessions_tenant ON bellwire.sessions (kind, tenant, id);
CREATE INDEX sessions_key ON bellwire.sessions (key, kind, id);
CREATE INDEX sessions_expires ON bellwire.sessions (expires_at);
