-- Requests that their callers may repeat, with their answers.
CREATE TABLE bellwire.idempotent_requests (
    n          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     bigint      NOT NULL, -- 0: the operator
    key        text        NOT NULL,
    digest     bytea       NOT NULL,
    try        uuid        NOT NULL, -- the latest
    begun_at   timestamptz NOT NULL, -- when it began
    changed    boolean     NOT NULL, -- whether it has changed something
    status     integer     NOT NULL, -- 0: there is no answer yet
    answer     bytea       NOT NULL, -- sealed
    bytes      bigint      NOT NULL, -- of the answer
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX idempotent_requests_key ON bellwire.idempotent_requests (tenant, key);
CREATE INDEX idempotent_requests_usage ON bellwire.idempotent_requests (tenant, expires_at, bytes);
CREATE INDEX idempotent_requests_expires ON bellwire.idempotent_requests (expires_at);
