-- A tenant's own values of limits, by name: JSON.
ALTER TABLE tenants ADD COLUMN limits TEXT NOT NULL DEFAULT 'null';
