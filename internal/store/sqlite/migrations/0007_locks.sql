-- Nodes that share a PostgreSQL database lock rows there since here. A SQLite database has one node.
SELECT 1;
