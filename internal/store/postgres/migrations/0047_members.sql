-- How many migrations the build of a node contains, and the process that said so; NULL: the build does not say, and has at most 46.
-- A build that does not know these columns leaves them as they are, so they hold only for the process that is named.
ALTER TABLE bellwire.nodes ADD COLUMN migrations integer, ADD COLUMN migrations_of uuid;
