-- A tenant's own settings of dialects, by name: JSON.
ALTER TABLE bellwire.tenants ADD COLUMN dialects text NOT NULL DEFAULT 'null';

-- The only operations of a vendor's API that a key permits, separated by spaces; empty: all of its role.
ALTER TABLE bellwire.keys ADD COLUMN scopes text NOT NULL DEFAULT '';
