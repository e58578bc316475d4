-- When a job did something last, so that it keeps to its rate when it is resumed, or goes on in another process.
ALTER TABLE bellwire.jobs ADD COLUMN acted_at timestamptz;
