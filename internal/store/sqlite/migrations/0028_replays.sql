-- The reason of a delivery changes with each attempt, so that it cannot tell that a job has made the delivery.
ALTER TABLE deliveries ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET replay = 1 WHERE job IS NOT NULL AND restarted_at IS NULL;
