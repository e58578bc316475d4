-- A tenant's own values of limits, by name: JSON.
ALTER TABLE bellwire.tenants ADD COLUMN limits text NOT NULL DEFAULT 'null';
