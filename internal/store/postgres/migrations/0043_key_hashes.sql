-- Keys of other systems do not contain their id, so that they are found by the SHA-256 of their secret.
CREATE INDEX keys_hash ON bellwire.keys (hash);
