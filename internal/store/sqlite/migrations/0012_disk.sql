-- Equal requests within a minute are one entry, found by their digest (bellwire.AuditEntry.Digest). Entries from before
-- have none.
ALTER TABLE audit ADD COLUMN digest BLOB;
ALTER TABLE audit ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0;
UPDATE audit SET last_at = at;
CREATE UNIQUE INDEX audit_digest ON audit (digest) WHERE digest IS NOT NULL;

-- How many new entries each tenant has on a day, which is bounded. Days are counted from 1970, in UTC.
CREATE TABLE audit_days (
    day     INTEGER NOT NULL,
    tenant  TEXT    NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (day, tenant)
) STRICT, WITHOUT ROWID;
