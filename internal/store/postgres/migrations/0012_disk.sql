-- Equal requests within a minute are one entry, found by their digest (bellwire.AuditEntry.Digest). Entries from before
-- have none.
ALTER TABLE bellwire.audit ADD COLUMN digest bytea, ADD COLUMN count bigint NOT NULL DEFAULT 1, ADD COLUMN last_at timestamptz;
UPDATE bellwire.audit SET last_at = at;
ALTER TABLE bellwire.audit ALTER COLUMN last_at SET NOT NULL;
CREATE UNIQUE INDEX audit_digest ON bellwire.audit (digest) WHERE digest IS NOT NULL;

-- How many new entries each tenant has on a day, which is bounded. Days are counted from 1970, in UTC.
CREATE TABLE bellwire.audit_days (
    day     bigint NOT NULL,
    tenant  text   NOT NULL,
    entries bigint NOT NULL,
    PRIMARY KEY (day, tenant)
) WITH (fillfactor = 50);
