-- A digest of a node's files that declare dialects; empty: it has none.
ALTER TABLE bellwire.nodes ADD COLUMN dialect_files text NOT NULL DEFAULT '';
