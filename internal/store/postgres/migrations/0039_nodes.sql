-- What nodes say of their processes, for people; NULL: nothing.
ALTER TABLE bellwire.nodes ADD COLUMN version text, ADD COLUMN started_at timestamptz;
