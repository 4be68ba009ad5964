-- Statements are separated by an empty line.

-- A machine that runs spaces. Its key is known by hash only.
CREATE TABLE hosts (
  name         TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
  key_sha256   TEXT    NOT NULL UNIQUE CHECK (length(key_sha256) = 64),
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER,
  version      TEXT,
  gateway_url  TEXT,
  memory_mib   INTEGER NOT NULL DEFAULT 0 CHECK (memory_mib >= 0)
) STRICT

-- The apps that a host can run, as its worker last said.
CREATE TABLE offers (
  host         TEXT    NOT NULL REFERENCES hosts (name),
  app          TEXT    NOT NULL CHECK (length(app) BETWEEN 1 AND 63),
  memory_mib   INTEGER NOT NULL CHECK (memory_mib >= 0),
  document     TEXT    NOT NULL CHECK (json_valid(document)),
  PRIMARY KEY (host, app)
) STRICT, WITHOUT ROWID

-- What is wanted of each space and what was last seen of it. Times are in Unix milliseconds.
CREATE TABLE spaces (
  id                  TEXT    NOT NULL PRIMARY KEY CHECK (id GLOB 'spc_*' AND length(id) = 30),
  name                TEXT    NOT NULL CHECK (length(name) BETWEEN 3 AND 40),
  title               TEXT    NOT NULL,
  app                 TEXT    NOT NULL,
  settings            TEXT    NOT NULL CHECK (json_valid(settings)),
  owner               TEXT    NOT NULL CHECK (length(owner) = 42),
  host                TEXT    NOT NULL REFERENCES hosts (name),
  memory_mib          INTEGER NOT NULL CHECK (memory_mib >= 0),
  desired             TEXT    NOT NULL CHECK (desired IN ('running', 'hibernated', 'suspended', 'deleted')),
  generation          INTEGER NOT NULL CHECK (generation >= 1),
  phase               TEXT    NOT NULL CHECK (phase IN ('pending', 'provisioning', 'running', 'hibernating', 'hibernated', 'waking', 'suspending', 'suspended', 'failed', 'deleting', 'deleted')),
  observed_generation INTEGER NOT NULL DEFAULT 0 CHECK (observed_generation BETWEEN 0 AND generation),
  reason              TEXT,
  steps               TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(steps)),
  change_seq          INTEGER NOT NULL,
  ready_at            INTEGER,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  deleted_at          INTEGER,
  CHECK ((phase = 'deleted') = (deleted_at IS NOT NULL)),
  CHECK ((phase IN ('deleting', 'deleted')) = (desired = 'deleted'))
) STRICT

CREATE UNIQUE INDEX a_name_belongs_to_one_living_space ON spaces (name) WHERE desired <> 'deleted'

-- What is gone costs nothing any more.
CREATE INDEX spaces_there_by_host_and_change ON spaces (host, change_seq, memory_mib) WHERE phase <> 'deleted'

CREATE TRIGGER a_wish_never_goes_back BEFORE UPDATE ON spaces
WHEN NEW.generation < OLD.generation
  OR NEW.change_seq < OLD.change_seq
  OR NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.app <> OLD.app
  OR (OLD.desired = 'deleted' AND NEW.desired <> 'deleted')
  OR (OLD.phase = 'deleted' AND NEW.phase <> 'deleted')
  OR (NEW.desired <> OLD.desired AND NEW.generation = OLD.generation)
BEGIN
  SELECT RAISE(ABORT, 'a wish never goes back');
END

CREATE TRIGGER spaces_are_kept BEFORE DELETE ON spaces
BEGIN
  SELECT RAISE(ABORT, 'spaces are kept');
END

-- Who may do what with a space.
CREATE TABLE members (
  space        TEXT    NOT NULL REFERENCES spaces (id),
  wallet       TEXT    NOT NULL CHECK (length(wallet) = 42),
  role         TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
  PRIMARY KEY (space, wallet)
) STRICT, WITHOUT ROWID

CREATE INDEX members_by_wallet ON members (wallet, space)

CREATE TRIGGER the_last_owner_stays BEFORE DELETE ON members
WHEN OLD.role = 'owner'
  AND NOT EXISTS (SELECT 1 FROM members WHERE space = OLD.space AND role = 'owner' AND wallet <> OLD.wallet)
BEGIN
  SELECT RAISE(ABORT, 'the last owner stays');
END

CREATE TRIGGER the_last_owner_stays_owner BEFORE UPDATE ON members
WHEN OLD.role = 'owner' AND NEW.role <> 'owner'
  AND NOT EXISTS (SELECT 1 FROM members WHERE space = OLD.space AND role = 'owner' AND wallet <> OLD.wallet)
BEGIN
  SELECT RAISE(ABORT, 'the last owner stays');
END

-- What happened, in order, for ever.
CREATE TABLE events (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  space        TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  kind         TEXT    NOT NULL,
  actor        TEXT    NOT NULL,
  detail       TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT

CREATE INDEX events_by_space ON events (space, seq)

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are not changed');
END

CREATE TRIGGER events_are_kept BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are kept');
END

-- The first answers to unsafe requests, so that a repetition gets the same one. Kept for a day.
CREATE TABLE answers (
  caller         TEXT    NOT NULL,
  idempotency_key TEXT   NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
  request_sha256 TEXT    NOT NULL CHECK (length(request_sha256) = 64),
  status         INTEGER NOT NULL,
  location       TEXT,
  body           TEXT    NOT NULL,
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (caller, idempotency_key)
) STRICT, WITHOUT ROWID

CREATE INDEX answers_by_age ON answers (created_at)
