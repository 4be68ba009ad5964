-- Statements are separated by an empty line.

-- The keys that wallets made for scripts and agents, known by hash only. Times are in Unix milliseconds.
CREATE TABLE api_keys (
  id           TEXT    NOT NULL PRIMARY KEY CHECK (id GLOB 'key_*' AND length(id) = 30),
  wallet       TEXT    NOT NULL CHECK (length(wallet) = 42),
  name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  key_sha256   TEXT    NOT NULL UNIQUE CHECK (length(key_sha256) = 64 AND key_sha256 NOT GLOB '*[^0-9a-f]*'),
  scopes       TEXT    NOT NULL CHECK (scopes <> '' AND scopes NOT GLOB '*[^a-z: ]*'),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER CHECK (expires_at > created_at),
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT

CREATE INDEX keys_in_force_by_wallet ON api_keys (wallet, id) WHERE revoked_at IS NULL

CREATE TRIGGER a_key_stays_what_it_was BEFORE UPDATE ON api_keys
WHEN NEW.id <> OLD.id OR NEW.wallet <> OLD.wallet OR NEW.key_sha256 <> OLD.key_sha256
  OR NEW.scopes <> OLD.scopes OR NEW.created_at <> OLD.created_at
  OR NEW.expires_at IS NOT OLD.expires_at
BEGIN
  SELECT RAISE(ABORT, 'a key stays what it was');
END

CREATE TRIGGER a_revoked_key_stays_revoked BEFORE UPDATE ON api_keys
WHEN OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at
BEGIN
  SELECT RAISE(ABORT, 'a revoked key stays revoked');
END

-- Else a revoked one could be put there again.
CREATE TRIGGER keys_are_kept BEFORE DELETE ON api_keys
BEGIN
  SELECT RAISE(ABORT, 'keys are kept');
END

-- How many spaces a wallet made lately.
CREATE INDEX spaces_by_owner ON spaces (owner, created_at)
