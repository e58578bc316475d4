-- The versions of an event type's data. schema and example are those of the newest.
ALTER TABLE bellwire.event_types
    ADD COLUMN since bigint NOT NULL DEFAULT 0,   -- the operator_revision that added the newest version; 0: it is the first
    ADD COLUMN older text NOT NULL DEFAULT '[]'; -- the versions before it, the first one first: JSON

-- An endpoint gets the versions that were the newest at a revision of the catalogue.
ALTER TABLE bellwire.endpoints
    ADD COLUMN catalogue bigint NOT NULL DEFAULT 0,   -- the operator_revision at its creation
    ADD COLUMN versions text NOT NULL DEFAULT 'null'; -- the types for which another one was chosen: JSON

-- The version that an event was published in: the version's since × 256 + its number. NULL: the first.
ALTER TABLE bellwire.events ADD COLUMN version bigint;
ALTER TABLE bellwire.unmatched ADD COLUMN version bigint;

-- bellwire.publish stores the newest version of that moment.
CREATE FUNCTION bellwire.set_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT e.since * 256 + json_array_length(e.older::json) + 1 INTO NEW.version
        FROM bellwire.event_types e WHERE e.name = NEW.type AND e.since > 0;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION bellwire.set_version FROM PUBLIC;
CREATE TRIGGER set_version BEFORE INSERT ON bellwire.unmatched FOR EACH ROW EXECUTE FUNCTION bellwire.set_version();
