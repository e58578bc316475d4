-- One node has the file, so there are no others to compare with.
SELECT 1;
