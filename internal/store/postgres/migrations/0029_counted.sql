-- Only SQLite counts small transactions together.
SELECT 1;
