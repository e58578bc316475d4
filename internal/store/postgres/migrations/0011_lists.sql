-- Lists of a tenant's deliveries have an index of their own here. On SQLite they have none for what is delivered.
SELECT 1;
