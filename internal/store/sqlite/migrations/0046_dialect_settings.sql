-- A tenant's own settings of dialects, by name: JSON.
ALTER TABLE tenants ADD COLUMN dialects TEXT NOT NULL DEFAULT 'null';

-- The only operations of a vendor's API that a key permits, separated by spaces; empty: all of its role.
ALTER TABLE keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
