-- What has changed among a tenant's endpoints is found by its revision, deleted ones too.
CREATE INDEX endpoints_revision ON endpoints (tenant, revision);
