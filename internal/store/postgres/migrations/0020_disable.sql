-- How long an attempt may take, and how long attempts must have failed before an endpoint is disabled (0: never), in
-- nanoseconds. Endpoints get the timeout that their dialect has had so far.
ALTER TABLE bellwire.endpoints ADD COLUMN timeout bigint NOT NULL DEFAULT 15000000000;
ALTER TABLE bellwire.endpoints ADD COLUMN auto_disable_after bigint NOT NULL DEFAULT 432000000000000;
UPDATE bellwire.endpoints SET timeout = 10000000000 WHERE dialect IN ('akkuro', 'atelio', 'azakaw', 'lemon');
