-- Requests that their callers may repeat, with their answers.
CREATE TABLE idempotent_requests (
    n          INTEGER NOT NULL PRIMARY KEY,
    tenant     INTEGER NOT NULL, -- 0: the operator
    key        TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    try        BLOB    NOT NULL, -- the latest
    begun_at   INTEGER NOT NULL, -- when it began
    changed    INTEGER NOT NULL, -- whether it has changed something
    status     INTEGER NOT NULL, -- 0: there is no answer yet
    answer     BLOB    NOT NULL, -- sealed
    bytes      INTEGER NOT NULL, -- of the answer
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idempotent_requests_key ON idempotent_requests (tenant, key);
CREATE INDEX idempotent_requests_usage ON idempotent_requests (tenant, expires_at, bytes);
CREATE INDEX idempotent_requests_expires ON idempotent_requests (expires_at);
