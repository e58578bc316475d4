-- There is no function to publish with.
SELECT 1;
