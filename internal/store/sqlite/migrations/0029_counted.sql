-- The newest rows that a delta counts. What is newer is counted in memory, and counted again after a crash.
INSERT INTO meta (name, value)
VALUES ('counted_event', (SELECT coalesce(max(n), 0) FROM events)), ('counted_attempt', (SELECT coalesce(max(n), 0) FROM attempts));
