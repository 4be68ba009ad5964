-- Statements are separated by an empty line.

-- The domains that tenants brought along. Several spaces may claim one; one space has it. Times are in
-- Unix milliseconds.
CREATE TABLE domains (
  space        TEXT    NOT NULL REFERENCES spaces (id),
  domain       TEXT    NOT NULL CHECK (length(domain) <= 242 AND domain GLOB '?*.?*' AND domain NOT GLOB '*[^a-z0-9.-]*' AND '.' || domain || '.' NOT GLOB '*..*'),
  state        TEXT    NOT NULL CHECK (state IN ('pending', 'proven')),
  problem      TEXT,
  created_at   INTEGER NOT NULL,
  checked_at   INTEGER,
  check_at     INTEGER,
  proven_at    INTEGER,
  PRIMARY KEY (space, domain),
  CHECK ((state = 'proven') = (proven_at IS NOT NULL)),
  CHECK ((state = 'pending') = (check_at IS NOT NULL)),
  CHECK (state = 'pending' OR problem IS NULL)
) STRICT, WITHOUT ROWID

CREATE UNIQUE INDEX a_domain_is_proven_for_one_space ON domains (domain) WHERE state = 'proven'

CREATE INDEX domains_to_look_for ON domains (check_at) WHERE state = 'pending'

CREATE TRIGGER only_living_spaces_have_domains BEFORE INSERT ON domains
WHEN NOT EXISTS (SELECT 1 FROM spaces WHERE id = NEW.space AND desired <> 'deleted')
BEGIN
  SELECT RAISE(ABORT, 'only living spaces have domains');
END

CREATE TRIGGER a_space_has_ten_domains_at_most BEFORE INSERT ON domains
WHEN (SELECT count(*) FROM domains WHERE space = NEW.space) >= 10
BEGIN
  SELECT RAISE(ABORT, 'a space has ten domains at most');
END

-- A row that replaces another would take a domain from its space without a word.
CREATE TRIGGER domains_are_not_replaced BEFORE INSERT ON domains
WHEN EXISTS (
  SELECT 1 FROM domains WHERE domain = NEW.domain
    AND (space = NEW.space OR (state = 'proven' AND NEW.state = 'proven'))
)
BEGIN
  SELECT RAISE(ABORT, 'domains are not replaced');
END

CREATE TRIGGER a_proven_domain_stays_as_it_is BEFORE UPDATE ON domains
WHEN NEW.space <> OLD.space OR NEW.domain <> OLD.domain OR NEW.created_at <> OLD.created_at
  OR OLD.state = 'proven'
BEGIN
  SELECT RAISE(ABORT, 'a proven domain stays as it is');
END

CREATE TRIGGER a_deleted_space_frees_its_domains AFTER UPDATE OF desired ON spaces
WHEN NEW.desired = 'deleted' AND OLD.desired <> 'deleted'
BEGIN
  DELETE FROM domains WHERE space = NEW.id;
END
