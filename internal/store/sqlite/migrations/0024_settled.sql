-- Endpoints that had more than a thousand deliveries when they were deleted are settled in steps, the oldest deliveries first.
-- Otherwise lists of a tenant that deletes many of them would merge ever more.
ALTER TABLE endpoints ADD COLUMN settled_to BLOB NOT NULL DEFAULT x''; -- before it, all deliveries are of_deleted
