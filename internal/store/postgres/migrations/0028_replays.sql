-- The reason of a delivery changes with each attempt, so that it cannot tell that a job has made the delivery.
ALTER TABLE bellwire.deliveries ADD COLUMN replay boolean NOT NULL DEFAULT false;
UPDATE bellwire.deliveries SET replay = true WHERE job IS NOT NULL AND restarted_at IS NULL;
