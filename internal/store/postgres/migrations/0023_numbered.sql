-- Here, the index of an endpoint's deliveries counts those that have a number already.
SELECT 1;
