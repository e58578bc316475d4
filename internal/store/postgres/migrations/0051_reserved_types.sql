-- bellwire.publish refuses the types of Bellwire's own events, as publishing over HTTP does.
CREATE OR REPLACE FUNCTION bellwire.publish(tenant text, type text, data text, id text DEFAULT NULL, deliver_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, ordering_key text DEFAULT NULL) RETURNS text
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
    earliest  timestamptz;
BEGIN
    IF publish.type IS NULL THEN
        RAISE EXCEPTION 'type is required' USING ERRCODE = 'WH422', COLUMN = 'type';
    ELSIF publish.type = '' THEN
        RAISE EXCEPTION 'type must be a string that is not empty' USING ERRCODE = 'WH422', COLUMN = 'type';
    ELSIF starts_with(publish.type, 'bellwire.') THEN
        RAISE EXCEPTION 'type must not begin with "bellwire.", which is reserved for Bellwire''s operational events'
            USING ERRCODE = 'WH422', COLUMN = 'type';
    ELSIF publish.data IS NULL THEN
        RAISE EXCEPTION 'data is required; it may be null'
            USING ERRCODE = 'WH422', COLUMN = 'data', HINT = 'SQL NULL means no data. JSON null is the text ''null''.';
    END IF;

    -- The data is the value without the white space around it, as in the body of a request.
    payload := convert_to(btrim(publish.data, E' \t\n\r'), 'UTF8');
    SELECT number INTO most FROM bellwire.meta WHERE name = 'max_event_bytes';
    IF octet_length(payload) > most THEN
        RAISE EXCEPTION 'data must have at most % bytes, but has %',
            to_char(most, 'FM999,999,999,990'), to_char(octet_length(payload), 'FM999,999,999,990')
            USING ERRCODE = 'WH413', COLUMN = 'data', HINT = 'The operator sets the limit with --max-event-bytes.';
    END IF;
    BEGIN
        PERFORM publish.data::json;
    EXCEPTION
        WHEN invalid_text_representation THEN
            GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'data must be valid JSON' USING ERRCODE = 'WH400', COLUMN = 'data', DETAIL = left(said, 200);
        WHEN statement_too_complex THEN
            RAISE EXCEPTION 'data is nested too deeply' USING ERRCODE = 'WH400', COLUMN = 'data';
    END;

    IF publish.id = '' THEN
        RAISE EXCEPTION 'id must be a string that is not empty'
            USING ERRCODE = 'WH422', COLUMN = 'id', HINT = 'Leave the id out, or pass NULL, to publish without one.';
    ELSIF length(publish.id) > 128 THEN
        RAISE EXCEPTION 'id must have at most 128 characters' USING ERRCODE = 'WH422', COLUMN = 'id';
    ELSIF NOT bellwire.is_printable(publish.id) THEN
        RAISE EXCEPTION 'id must have printable characters only' USING ERRCODE = 'WH422', COLUMN = 'id';
    END IF;

    IF publish.ordering_key = '' THEN
        RAISE EXCEPTION 'ordering_key must be a string that is not empty'
            USING ERRCODE = 'WH422', COLUMN = 'ordering_key', HINT = 'Leave the ordering_key out, or pass NULL, to publish without one.';
    ELSIF length(publish.ordering_key) > 128 THEN
        RAISE EXCEPTION 'ordering_key must have at most 128 characters' USING ERRCODE = 'WH422', COLUMN = 'ordering_key';
    ELSIF NOT bellwire.is_printable(publish.ordering_key) THEN
        RAISE EXCEPTION 'ordering_key must have printable characters only' USING ERRCODE = 'WH422', COLUMN = 'ordering_key';
    ELSIF publish.deliver_at > made + interval '365 days' THEN
        RAISE EXCEPTION 'deliver_at must be at most 365 days ahead' USING ERRCODE = 'WH422', COLUMN = 'deliver_at';
    ELSIF publish.expires_at >= timestamptz '10000-01-01 00:00:00+00' THEN
        RAISE EXCEPTION 'expires_at must be before the year 10000' USING ERRCODE = 'WH422', COLUMN = 'expires_at';
    ELSIF publish.expires_at <= publish.deliver_at THEN
        RAISE EXCEPTION 'expires_at must be after deliver_at' USING ERRCODE = 'WH422', COLUMN = 'expires_at';
    END IF;
    IF publish.deliver_at > made THEN
        earliest := publish.deliver_at; -- a time in the past is the same as none
    END IF;

    SELECT t.n INTO here FROM bellwire.tenants t WHERE t.id = publish.tenant AND t.deleted_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant "%" does not exist', left(publish.tenant, 128) USING ERRCODE = 'WH404', COLUMN = 'tenant';
    END IF;

    IF publish.id IS NOT NULL THEN
        published := sha256(convert_to(publish.type, 'UTF8') || decode('00', 'hex') || payload);
    END IF;
    FOR try IN 1 .. 100 LOOP
        IF publish.id IS NOT NULL THEN
            SELECT k.event, k.digest INTO first, before FROM bellwire.idempotency_keys k WHERE k.tenant = here AND k.key = publish.id;
            -- An event that was accepted once keeps its id, whatever has become of its type.
            IF before = published OR before = decode(repeat('00', 32), 'hex') THEN
                RETURN 'evt_' || translate(first::text, '-', '');
            END IF;
        END IF;
        SELECT e.archived INTO archived FROM bellwire.event_types e WHERE e.name = publish.type;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'type "%" is not a known event type', left(publish.type, 128)
                USING ERRCODE = 'WH422', COLUMN = 'type', HINT = 'Check its spelling, or create it first with PUT /api/v1/event-types/{name}.';
        ELSIF archived THEN
            RAISE EXCEPTION 'type "%" is archived; events of this type cannot be published', publish.type
                USING ERRCODE = 'WH422', COLUMN = 'type';
        ELSIF publish.expires_at <= made THEN
            RAISE EXCEPTION 'expires_at must be in the future' USING ERRCODE = 'WH422', COLUMN = 'expires_at';
        ELSIF before IS NOT NULL THEN
            RAISE EXCEPTION 'id "%" was used before, with another type or other data', publish.id
                USING ERRCODE = 'WH409', COLUMN = 'id', HINT = 'Give this event an id of its own.';
        END IF;
        EXIT WHEN publish.id IS NULL;
        -- This waits for an open transaction that has used the same id.
        INSERT INTO bellwire.idempotency_keys (tenant, key, event, digest, deliveries)
            VALUES (here, publish.id, event, published, 0) ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        IF try = 100 THEN
            RAISE EXCEPTION 'id "%" is being used by many transactions at once', publish.id
                USING ERRCODE = 'serialization_failure', COLUMN = 'id', HINT = 'Repeat the transaction.';
        END IF;
    END LOOP;

    INSERT INTO bellwire.unmatched (event, tenant, type, idempotency_key, created_at, data, deliver_at, expires_at, ordering_key)
        VALUES (event, here, publish.type, publish.id, made, payload, earliest, publish.expires_at, publish.ordering_key);

    -- PostgreSQL sends equal notifications of one transaction once. A node that polls needs none.
    IF NOT EXISTS (SELECT FROM bellwire.shards s JOIN bellwire.attendance a ON a.node = s.node
            WHERE s.shard = here % 256 AND a.until > clock_timestamp()) THEN
        PERFORM pg_notify('bellwire', '{"u":true}');
    END IF;
    RETURN 'evt_' || translate(event::text, '-', '');
END
$$;
