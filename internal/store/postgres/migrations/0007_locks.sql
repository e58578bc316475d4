-- Who changes leases or partitions holds one of these rows until that is committed. That needs rights on this table, while
-- an advisory lock may be taken, and kept, by everybody who can connect to the database.
INSERT INTO bellwire.meta (name) VALUES ('leases'), ('partitions');

-- How a node keeps others out while it changes leases; 2: by the row above. A node of a version before this one does not
-- know the column, cannot renew its leases without it, and so sends nothing any more.
ALTER TABLE bellwire.nodes ADD COLUMN locking smallint NOT NULL DEFAULT 1;
ALTER TABLE bellwire.nodes ALTER COLUMN locking DROP DEFAULT;

-- Who gave a shard away; NULL: nobody.
ALTER TABLE bellwire.shards ADD COLUMN giver text;
