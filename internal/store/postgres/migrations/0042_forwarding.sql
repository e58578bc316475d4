-- Where a node takes deliveries that other nodes forward to it; empty: it takes none.
ALTER TABLE bellwire.nodes ADD COLUMN address text NOT NULL DEFAULT '';
