-- Who asked for what. Tenants are named, not referred to: what was asked stays on record when they are gone.
CREATE TABLE bellwire.audit (
    n             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid        NOT NULL,
    at            timestamptz NOT NULL,
    tenant        text        NOT NULL,
    key           uuid        NOT NULL, -- zeros: the configured admin key
    method        text        NOT NULL,
    path          text        NOT NULL,
    principal     text        NOT NULL,
    justification text        NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX audit_tenant ON bellwire.audit (tenant, n);
CREATE INDEX audit_expires ON bellwire.audit (expires_at);

-- What keys have signed requests with, as long as such a request would still be taken.
CREATE TABLE bellwire.nonces (
    key        uuid        NOT NULL,
    nonce      text        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (key, nonce)
);
CREATE INDEX nonces_expires ON bellwire.nonces (expires_at);
