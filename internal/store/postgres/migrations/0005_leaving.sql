-- A node that is leaving keeps what is under way until it has ended, and is to get no more.
ALTER TABLE bellwire.nodes ADD COLUMN leaving boolean NOT NULL DEFAULT false;

-- What has changed is looked for by revision, in case that a notification was lost.
CREATE INDEX tenants_revision ON bellwire.tenants (revision);
