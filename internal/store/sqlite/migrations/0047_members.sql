-- Nothing: there is one node.
SELECT 1;
