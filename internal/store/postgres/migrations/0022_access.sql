-- When a key stops working, and when it was last used.
ALTER TABLE bellwire.keys ADD COLUMN expires_at timestamptz;
ALTER TABLE bellwire.keys ADD COLUMN last_used_at timestamptz;
