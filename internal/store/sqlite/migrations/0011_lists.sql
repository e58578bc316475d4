-- A list of a tenant's deliveries merges those of its endpoints, each found by an index of its own. Deleted endpoints can be
-- any number, so their deliveries lie in one index for all of them. Endpoints that had very many when they were deleted are
-- not settled: they are merged one by one, and are few, as each of them has very many.
ALTER TABLE deliveries ADD COLUMN of_deleted INTEGER NOT NULL DEFAULT 0; -- 1: of a settled endpoint
ALTER TABLE endpoints ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;     -- 1: deleted, and all its deliveries say so

UPDATE endpoints SET settled = 1 WHERE deleted_at IS NOT NULL;
UPDATE deliveries SET of_deleted = 1 WHERE endpoint IN (SELECT n FROM endpoints WHERE settled = 1);

CREATE INDEX deliveries_of_deleted ON deliveries (tenant, status, id) WHERE of_deleted = 1;
CREATE INDEX endpoints_unsettled ON endpoints (tenant, n) WHERE deleted_at IS NOT NULL AND settled = 0;
