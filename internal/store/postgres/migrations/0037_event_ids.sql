-- Lists of all tenants' events, and the tenant of an event, by the event's id alone.
DROP INDEX bellwire.events_default_id;
CREATE INDEX events_id ON bellwire.events (id);
