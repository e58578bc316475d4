-- What an endpoint has allowed when it was last asked for its permission: when, and how many requests a minute, 0 for any number.
ALTER TABLE bellwire.endpoint_health
    ADD COLUMN allowed_at timestamptz,
    ADD COLUMN allowed_rate int NOT NULL DEFAULT 0;
