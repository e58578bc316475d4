-- Changes of the configuration. Of an endpoint, its history has the members.
ALTER TABLE audit ADD COLUMN action  text NOT NULL DEFAULT ''; -- empty: a recorded request to a dialect's API
ALTER TABLE audit ADD COLUMN subject text NOT NULL DEFAULT ''; -- the id of what was changed
ALTER TABLE audit ADD COLUMN actor   text NOT NULL DEFAULT '{}'; -- JSON, as all that follow
ALTER TABLE audit ADD COLUMN before  text NOT NULL DEFAULT '{}';
ALTER TABLE audit ADD COLUMN after   text NOT NULL DEFAULT '{}';
DROP INDEX audit_tenant;
CREATE INDEX audit_at ON audit (at, n);
CREATE INDEX audit_tenant ON audit (tenant, at, n);
CREATE INDEX audit_key ON audit (key, at, n);
CREATE INDEX audit_tenant_key ON audit (tenant, key, at, n);
