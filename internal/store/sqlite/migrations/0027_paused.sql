-- A paused tenant's endpoints wait.
ALTER TABLE tenants ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN status_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN status_since INTEGER; -- when it was last paused or resumed
