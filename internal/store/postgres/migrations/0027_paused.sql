-- A paused tenant's endpoints wait.
ALTER TABLE bellwire.tenants ADD COLUMN paused boolean NOT NULL DEFAULT false;
ALTER TABLE bellwire.tenants ADD COLUMN status_reason text NOT NULL DEFAULT '';
ALTER TABLE bellwire.tenants ADD COLUMN status_since timestamptz; -- when it was last paused or resumed
