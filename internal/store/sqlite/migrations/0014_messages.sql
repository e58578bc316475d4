-- The function that publishes inside other transactions, which this replaces on PostgreSQL, does not exist here.
SELECT 1;
