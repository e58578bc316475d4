-- Events that other programs publish inside transactions of their own, by bellwire.publish. From here a node takes them,
-- matches them and stores them with their deliveries. So an open transaction of somebody else holds rows of this table
-- and the publisher's own ids, and nothing that Bellwire's work, a new partition or a change of a tenant waits for.
CREATE TABLE bellwire.unmatched (
    event           uuid        NOT NULL PRIMARY KEY,
    n               bigint      NOT NULL GENERATED ALWAYS AS IDENTITY, -- grows with each publish
    tenant          bigint      NOT NULL,
    type            text        NOT NULL,
    idempotency_key text,
    created_at      timestamptz NOT NULL,
    retry_at        timestamptz,          -- NULL: it waits for its turn; else it could not be matched, and waits until then
    problem         text,                 -- why it could not be matched
    data            bytea       NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000); -- rows come and go
CREATE INDEX unmatched_turn ON bellwire.unmatched (tenant, n) WHERE retry_at IS NULL;
CREATE INDEX unmatched_retry ON bellwire.unmatched (retry_at) WHERE retry_at IS NOT NULL;

-- Until when a node looks for unmatched events without being told of them. All that notify in PostgreSQL commit one
-- after the other, which many publishers would feel.
CREATE TABLE bellwire.attendance (
    node  text        PRIMARY KEY,
    until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Most bytes that an event's data may have. Nodes write here what they were told.
INSERT INTO bellwire.meta (name, number) VALUES ('max_event_bytes', 1048576);

-- Why an event was sent to nobody; NULL: it was sent to all who asked for it.
ALTER TABLE bellwire.events ADD COLUMN problem text;

-- Every publisher's id is printable. Left out are controls, formats, spaces other than the common one, private characters
-- and those that are none.
CREATE FUNCTION bellwire.is_printable(text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT $1 COLLATE "C" !~ ('[\u0001-\u001F\u007F-\u00A0\u00AD\u0600-\u0605\u061C\u06DD\u070F\u0890\u0891\u08E2\u1680\u180E'
        || '\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uE000-\uF8FF\uFDD0-\uFDEF\uFEFF\uFFF0-\uFFFB\uFFFD-\uFFFF'
        || '\U000110BD\U000110CD\U00013430-\U0001343F\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A'
        || '\U000E0000-\U000E00FF\U000EFFFE-\U0010FFFF]')
$$;

-- A UUIDv7 as bellwire.NewUUID makes them: milliseconds, 12 bits of their fraction, and chance.
CREATE FUNCTION bellwire.new_uuid(at timestamptz) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    micros bigint := round(extract(epoch FROM at) * 1000000);
BEGIN
    RETURN (lpad(to_hex(micros / 1000), 12, '0') || '7' || lpad(to_hex(micros % 1000 * 4096 / 1000), 3, '0')
        || right(translate(gen_random_uuid()::text, '-', ''), 16))::uuid;
END
$$;

-- Publishes an event inside the caller's transaction and returns its id: the event exists if and only if that is
-- committed. The rules are those of a publish over HTTP, and so are the words in which one is refused. SQLSTATE is WH
-- and the status that HTTP would answer, COLUMN the parameter at fault.
CREATE FUNCTION bellwire.publish(tenant text, type text, data text, id text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    here      bigint;      -- the tenant's number
    archived  boolean;
    most      bigint;      -- bytes
    payload   bytea;
    published bytea;       -- digest of what is published
    before    bytea;       -- digest of what was published with the same id
    first     uuid;        -- and its event
    made      timestamptz := clock_timestamp();
    event     uuid := bellwire.new_uuid(made);
    said      text;
BEGIN
    IF publish.type IS NULL THEN
        RAISE EXCEPTION 'type: It is required.' USING ERRCODE = 'WH422', COLUMN = 'type';
    ELSIF publish.type = '' THEN
        RAISE EXCEPTION 'type: It must be a string that is not empty.' USING ERRCODE = 'WH422', COLUMN = 'type';
    ELSIF publish.data IS NULL THEN
        RAISE EXCEPTION 'data: It is required; null is allowed.'
            USING ERRCODE = 'WH422', COLUMN = 'data', HINT = 'SQL''s NULL is no data. JSON''s null is the text ''null''.';
    END IF;

    -- The data is the value without what is around it, as in the body of a request.
    payload := convert_to(btrim(publish.data, E' \t\n\r'), 'UTF8');
    SELECT number INTO most FROM bellwire.meta WHERE name = 'max_event_bytes';
    IF octet_length(payload) > most THEN
        RAISE EXCEPTION 'data: An event''s data has at most % bytes; here are %.', most, octet_length(payload)
            USING ERRCODE = 'WH413', COLUMN = 'data', HINT = 'The limit is the option --max-event-bytes.';
    END IF;
    BEGIN
        PERFORM publish.data::json;
    EXCEPTION
        WHEN invalid_text_representation THEN
            GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'data: It is not valid JSON.' USING ERRCODE = 'WH400', COLUMN = 'data', DETAIL = left(said, 200);
        WHEN statement_too_complex THEN
            RAISE EXCEPTION 'data: It is nested too deep.' USING ERRCODE = 'WH400', COLUMN = 'data';
    END;

    IF publish.id = '' THEN
        RAISE EXCEPTION 'id: It must be a string that is not empty.'
            USING ERRCODE = 'WH422', COLUMN = 'id', HINT = 'Leave it out, or give NULL, for none.';
    ELSIF length(publish.id) > 128 THEN
        RAISE EXCEPTION 'id: It has at most 128 characters.' USING ERRCODE = 'WH422', COLUMN = 'id';
    ELSIF NOT bellwire.is_printable(publish.id) THEN
        RAISE EXCEPTION 'id: It has printable characters only.' USING ERRCODE = 'WH422', COLUMN = 'id';
    END IF;

    SELECT t.n INTO here FROM bellwire.tenants t WHERE t.id = publish.tenant AND t.deleted_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no tenant "%".', left(publish.tenant, 128) USING ERRCODE = 'WH404', COLUMN = 'tenant';
    END IF;

    IF publish.id IS NOT NULL THEN
        published := sha256(convert_to(publish.type, 'UTF8') || decode('00', 'hex') || payload);
    END IF;
    FOR try IN 1 .. 100 LOOP
        IF publish.id IS NOT NULL THEN
            SELECT k.event, k.digest INTO first, before FROM bellwire.idempotency_keys k WHERE k.tenant = here AND k.key = publish.id;
            -- What was taken once stays taken under its id, whatever has become of its type.
            IF before = published THEN
                RETURN 'evt_' || translate(first::text, '-', '');
            END IF;
        END IF;
        SELECT e.archived INTO archived FROM bellwire.event_types e WHERE e.name = publish.type;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'type: There is no event type "%" in the catalogue; put it there first.', left(publish.type, 128)
                USING ERRCODE = 'WH422', COLUMN = 'type';
        ELSIF archived THEN
            RAISE EXCEPTION 'type: The event type "%" is archived; take it out of the archive to use it.', publish.type
                USING ERRCODE = 'WH422', COLUMN = 'type';
        ELSIF before IS NOT NULL THEN
            RAISE EXCEPTION 'The id "%" was used before, with another type or other data. Give this event an id of its own.', publish.id
                USING ERRCODE = 'WH409', COLUMN = 'id';
        END IF;
        EXIT WHEN publish.id IS NULL;
        -- Somebody else's open transaction that has used the same id is waited for.
        INSERT INTO bellwire.idempotency_keys (tenant, key, event, digest, deliveries)
            VALUES (here, publish.id, event, published, 0) ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        IF try = 100 THEN
            RAISE EXCEPTION 'The id "%" is being used by many at once. Repeat the transaction.', publish.id
                USING ERRCODE = 'serialization_failure', COLUMN = 'id';
        END IF;
    END LOOP;

    INSERT INTO bellwire.unmatched (event, tenant, type, idempotency_key, created_at, data)
        VALUES (event, here, publish.type, publish.id, made, payload);

    -- PostgreSQL sends the same notification once for a transaction.
    IF NOT EXISTS (SELECT FROM bellwire.shards s JOIN bellwire.attendance a ON a.node = s.node
            WHERE s.shard = here % 256 AND a.until > clock_timestamp()) THEN
        PERFORM pg_notify('bellwire', '{"u":true}');
    END IF;
    RETURN 'evt_' || translate(event::text, '-', '');
END
$$;

-- Who may publish here is for the operator to say.
REVOKE ALL ON FUNCTION bellwire.publish(text, text, text, text), bellwire.is_printable(text), bellwire.new_uuid(timestamptz) FROM PUBLIC;
