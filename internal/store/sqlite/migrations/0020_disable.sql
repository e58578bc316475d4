-- How long an attempt may take, and how long attempts must have failed before an endpoint is disabled (0: never), in
-- nanoseconds. Endpoints get the timeout that their dialect has had so far.
ALTER TABLE endpoints ADD COLUMN timeout INTEGER NOT NULL DEFAULT 15000000000;
ALTER TABLE endpoints ADD COLUMN auto_disable_after INTEGER NOT NULL DEFAULT 432000000000000;
UPDATE endpoints SET timeout = 10000000000 WHERE dialect IN ('akkuro', 'atelio', 'azakaw', 'lemon');
