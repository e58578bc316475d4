-- Where the last failure of an endpoint happened, beside last_error; empty: unknown.
ALTER TABLE bellwire.endpoint_health ADD COLUMN last_outcome text NOT NULL DEFAULT '';
