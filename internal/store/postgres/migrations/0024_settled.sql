-- SQLite settles deliveries of deleted endpoints in steps. Here, a tenant's deliveries have an index of their own.
SELECT 1;
