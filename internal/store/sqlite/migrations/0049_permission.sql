-- What an endpoint has allowed when it was last asked for its permission: when, and how many requests a minute, 0 for any number.
ALTER TABLE endpoint_health ADD COLUMN allowed_at INTEGER;
ALTER TABLE endpoint_health ADD COLUMN allowed_rate INTEGER NOT NULL DEFAULT 0;
