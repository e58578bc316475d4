-- Changes of the configuration. Of an endpoint, its history has the members.
ALTER TABLE bellwire.audit ADD COLUMN action  text NOT NULL DEFAULT ''; -- empty: a recorded request to a dialect's API
ALTER TABLE bellwire.audit ADD COLUMN subject text NOT NULL DEFAULT ''; -- the id of what was changed
ALTER TABLE bellwire.audit ADD COLUMN actor   text NOT NULL DEFAULT '{}'; -- JSON, as all that follow
ALTER TABLE bellwire.audit ADD COLUMN before  text NOT NULL DEFAULT '{}';
ALTER TABLE bellwire.audit ADD COLUMN after   text NOT NULL DEFAULT '{}';
DROP INDEX bellwire.audit_tenant;
CREATE INDEX audit_at ON bellwire.audit (at, n);
CREATE INDEX audit_tenant ON bellwire.audit (tenant, at, n);
CREATE INDEX audit_key ON bellwire.audit (key, at, n);
CREATE INDEX audit_tenant_key ON bellwire.audit (tenant, key, at, n);
