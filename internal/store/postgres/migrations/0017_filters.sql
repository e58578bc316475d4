-- Which events of the types that it subscribes to an endpoint gets.
ALTER TABLE bellwire.endpoints ADD COLUMN filter text NOT NULL DEFAULT '';
ALTER TABLE bellwire.endpoints ADD COLUMN on_error text NOT NULL DEFAULT 'deliver';
