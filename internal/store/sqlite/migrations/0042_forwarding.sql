-- One node has the file, so nothing is forwarded.
SELECT 1;
