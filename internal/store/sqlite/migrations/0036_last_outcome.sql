-- Where the last failure of an endpoint happened, beside last_error; empty: unknown.
ALTER TABLE endpoint_health ADD COLUMN last_outcome TEXT NOT NULL DEFAULT '';
