-- What the default partition holds of events is looked for by time.
CREATE INDEX events_default_id ON bellwire.events_default (id);

-- Publishers' ids outlive the partitions of their events.
CREATE INDEX idempotency_keys_event ON bellwire.idempotency_keys (event);

-- Rows that are updated all the time are few: what is dead of them is to go soon.
ALTER TABLE bellwire.deliveries_default SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 1, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE bellwire.sequences SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- An event's deliveries lie together by their ids (bellwire.DeliveryOf).
DROP INDEX bellwire.deliveries_event;
