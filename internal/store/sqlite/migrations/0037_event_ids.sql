-- Nothing: the index events_id is there since 0001.
SELECT 1;
