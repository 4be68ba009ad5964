-- Statements are separated by an empty line. Times are in Unix milliseconds unless a name ends in _s, which
-- is seconds; amounts are in µUSD; a month is written 2026-11.

-- The books with one more account, from which the operator gives, and its kind of transfer. SQLite changes a
-- check only with its table, and renames none that a trigger misses.
DROP TRIGGER a_transfer_moves_money

DROP TRIGGER a_hold_holds_money

DROP TRIGGER a_posted_hold_moves_money

DROP TRIGGER a_hold_that_ends_otherwise_lets_go

CREATE TABLE accounts_6 (
  account      TEXT    NOT NULL PRIMARY KEY,
  debits       INTEGER NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits      INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),
  held         INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
  incoming     INTEGER NOT NULL DEFAULT 0 CHECK (incoming >= 0),
  CHECK (
    account IN ('revenue', 'grants') OR account GLOB 'payments:*'
    OR ((account GLOB 'wallet:*' OR account GLOB 'space:*') AND credits - debits - held >= 0)
  )
) STRICT, WITHOUT ROWID

INSERT INTO accounts_6 SELECT account, debits, credits, held, incoming FROM accounts

DROP TABLE accounts

ALTER TABLE accounts_6 RENAME TO accounts

CREATE TABLE transfers_6 (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 128),
  debit        TEXT    NOT NULL,
  credit       TEXT    NOT NULL CHECK (credit <> debit),
  amount       INTEGER NOT NULL CHECK (amount > 0),
  kind         TEXT    NOT NULL CHECK (kind IN ('payment', 'first-month', 'top-up', 'refund', 'charge', 'usage', 'grant')),
  at           INTEGER NOT NULL,
  payment      TEXT    REFERENCES payments (id),
  expires_at   INTEGER,
  ends         TEXT    UNIQUE REFERENCES transfers_6 (id),
  outcome      TEXT    CHECK (outcome IN ('posted', 'voided', 'expired')),
  CHECK ((ends IS NULL) = (outcome IS NULL)),
  CHECK (ends IS NULL OR expires_at IS NULL),
  CHECK (kind <> 'payment' OR payment IS NOT NULL),
  CHECK ((kind = 'payment') = (debit GLOB 'payments:*')),
  CHECK ((kind = 'grant') = (debit = 'grants')),
  CHECK (kind <> 'usage' OR (debit GLOB 'space:*' AND credit = 'revenue')),
  CHECK (credit NOT GLOB 'payments:*' AND credit <> 'grants'),
  CHECK (debit <> 'revenue' OR coalesce(outcome IN ('voided', 'expired'), FALSE))
) STRICT

INSERT INTO transfers_6 SELECT seq, id, debit, credit, amount, kind, at, payment, expires_at, ends, outcome FROM transfers ORDER BY seq

DROP TABLE transfers

ALTER TABLE transfers_6 RENAME TO transfers

CREATE INDEX transfers_by_debit ON transfers (debit, seq)

CREATE INDEX transfers_by_credit ON transfers (credit, seq)

CREATE INDEX transfers_by_payment ON transfers (payment) WHERE payment IS NOT NULL

CREATE INDEX holds_by_expiry ON transfers (expires_at) WHERE expires_at IS NOT NULL

CREATE UNIQUE INDEX a_payment_is_credited_once ON transfers (payment) WHERE kind = 'payment'

CREATE TRIGGER transfers_are_not_changed BEFORE UPDATE ON transfers
BEGIN
  SELECT RAISE(ABORT, 'transfers are not changed');
END

CREATE TRIGGER transfers_are_kept BEFORE DELETE ON transfers
BEGIN
  SELECT RAISE(ABORT, 'transfers are kept');
END

-- A row that replaces another would remove it without a word.
CREATE TRIGGER transfers_are_not_replaced BEFORE INSERT ON transfers
WHEN EXISTS (
  SELECT 1 FROM transfers WHERE id = NEW.id OR seq = NEW.seq OR ends = NEW.ends
    OR (kind = 'payment' AND NEW.kind = 'payment' AND payment = NEW.payment)
)
BEGIN
  SELECT RAISE(ABORT, 'transfers are not replaced');
END

CREATE TRIGGER only_settled_payments_are_credited BEFORE INSERT ON transfers
WHEN NEW.kind = 'payment' AND NOT EXISTS (
  SELECT 1 FROM payments WHERE id = NEW.payment AND state = 'settled' AND amount = NEW.amount
    AND NEW.credit = account AND NEW.debit = 'payments:eip155:' || chain_id || ':' || asset
)
BEGIN
  SELECT RAISE(ABORT, 'only settled payments are credited');
END

CREATE TRIGGER an_end_ends_a_hold BEFORE INSERT ON transfers
WHEN NEW.ends IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM transfers AS hold
  WHERE hold.id = NEW.ends AND hold.expires_at IS NOT NULL AND hold.amount = NEW.amount
    AND CASE NEW.outcome
      WHEN 'posted' THEN hold.debit = NEW.debit AND hold.credit = NEW.credit
      ELSE hold.debit = NEW.credit AND hold.credit = NEW.debit
    END
    AND (NEW.outcome <> 'expired' OR hold.expires_at <= NEW.at)
)
BEGIN
  SELECT RAISE(ABORT, 'an end ends a hold');
END

CREATE TRIGGER a_transfer_moves_money AFTER INSERT ON transfers
WHEN NEW.expires_at IS NULL AND NEW.ends IS NULL
BEGIN
  INSERT INTO accounts (account) VALUES (NEW.debit), (NEW.credit) ON CONFLICT DO NOTHING;
  UPDATE accounts SET debits = debits + NEW.amount WHERE account = NEW.debit;
  UPDATE accounts SET credits = credits + NEW.amount WHERE account = NEW.credit;
END

CREATE TRIGGER a_hold_holds_money AFTER INSERT ON transfers
WHEN NEW.expires_at IS NOT NULL
BEGIN
  INSERT INTO accounts (account) VALUES (NEW.debit), (NEW.credit) ON CONFLICT DO NOTHING;
  UPDATE accounts SET held = held + NEW.amount WHERE account = NEW.debit;
  UPDATE accounts SET incoming = incoming + NEW.amount WHERE account = NEW.credit;
END

CREATE TRIGGER a_posted_hold_moves_money AFTER INSERT ON transfers
WHEN NEW.outcome = 'posted'
BEGIN
  UPDATE accounts SET held = held - NEW.amount, debits = debits + NEW.amount WHERE account = NEW.debit;
  UPDATE accounts SET incoming = incoming - NEW.amount, credits = credits + NEW.amount WHERE account = NEW.credit;
END

CREATE TRIGGER a_hold_that_ends_otherwise_lets_go AFTER INSERT ON transfers
WHEN NEW.outcome IN ('voided', 'expired')
BEGIN
  UPDATE accounts SET incoming = incoming - NEW.amount WHERE account = NEW.debit;
  UPDATE accounts SET held = held - NEW.amount WHERE account = NEW.credit;
END

-- The second until which things were charged or told. Where a clock goes back, this one stands still.
CREATE TABLE billing_clock (
  id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  at_s         INTEGER NOT NULL
) STRICT

INSERT INTO billing_clock (id, at_s) VALUES (1, 0)

CREATE TRIGGER the_billing_clock_never_goes_back BEFORE UPDATE ON billing_clock
WHEN NEW.at_s < OLD.at_s OR NEW.id <> OLD.id
BEGIN
  SELECT RAISE(ABORT, 'the billing clock never goes back');
END

-- What things cost, from a second on. A price is never changed; another one follows it.
CREATE TABLE prices (
  version           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  from_s            INTEGER NOT NULL UNIQUE,
  base_month        INTEGER NOT NULL CHECK (base_month >= 0),
  post              INTEGER NOT NULL CHECK (post >= 0),
  storage_gib_month INTEGER NOT NULL CHECK (storage_gib_month >= 0),
  storage_free_gib  INTEGER NOT NULL CHECK (storage_free_gib >= 0)
) STRICT

CREATE TRIGGER prices_are_not_changed BEFORE UPDATE ON prices
BEGIN
  SELECT RAISE(ABORT, 'prices are not changed');
END

CREATE TRIGGER prices_are_kept BEFORE DELETE ON prices
BEGIN
  SELECT RAISE(ABORT, 'prices are kept');
END

CREATE TRIGGER prices_follow_each_other BEFORE INSERT ON prices
WHEN EXISTS (SELECT 1 FROM prices WHERE from_s >= NEW.from_s)
BEGIN
  SELECT RAISE(ABORT, 'prices follow each other');
END

-- From when to when a space was there and not suspended: what the base price is for.
CREATE TABLE periods (
  space        TEXT    NOT NULL REFERENCES spaces (id),
  from_s       INTEGER NOT NULL,
  to_s         INTEGER CHECK (to_s >= from_s),
  PRIMARY KEY (space, from_s)
) STRICT, WITHOUT ROWID

CREATE UNIQUE INDEX one_period_is_open ON periods (space) WHERE to_s IS NULL

CREATE TRIGGER a_period_only_ends BEFORE UPDATE ON periods
WHEN NEW.space <> OLD.space OR NEW.from_s <> OLD.from_s OR OLD.to_s IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a period only ends');
END

CREATE TRIGGER periods_are_kept BEFORE DELETE ON periods
BEGIN
  SELECT RAISE(ABORT, 'periods are kept');
END

CREATE TRIGGER periods_follow_each_other BEFORE INSERT ON periods
WHEN EXISTS (SELECT 1 FROM periods WHERE space = NEW.space AND (to_s IS NULL OR to_s > NEW.from_s OR from_s = NEW.from_s))
BEGIN
  SELECT RAISE(ABORT, 'periods follow each other');
END

-- What workers told, each once. at_s is when it counts: from_s, no later than it was taken and no earlier than
-- its space was made.
CREATE TABLE readings (
  id                 TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 3 AND 64),
  space              TEXT    NOT NULL REFERENCES spaces (id),
  from_s             INTEGER NOT NULL,
  to_s               INTEGER NOT NULL,
  at_s               INTEGER NOT NULL,
  taken_s            INTEGER NOT NULL,
  seconds            INTEGER NOT NULL CHECK (seconds >= 0),
  running_seconds    INTEGER NOT NULL CHECK (running_seconds BETWEEN 0 AND seconds),
  hibernated_seconds INTEGER NOT NULL CHECK (hibernated_seconds BETWEEN 0 AND seconds),
  cpu_ms             INTEGER NOT NULL CHECK (cpu_ms >= 0),
  memory_mib_seconds INTEGER NOT NULL CHECK (memory_mib_seconds >= 0),
  network_rx_bytes   INTEGER NOT NULL CHECK (network_rx_bytes >= 0),
  network_tx_bytes   INTEGER NOT NULL CHECK (network_tx_bytes >= 0),
  disk_read_bytes    INTEGER NOT NULL CHECK (disk_read_bytes >= 0),
  disk_write_bytes   INTEGER NOT NULL CHECK (disk_write_bytes >= 0),
  storage_kib        INTEGER NOT NULL CHECK (storage_kib >= 0),
  posts              INTEGER NOT NULL CHECK (posts >= 0)
) STRICT, WITHOUT ROWID

CREATE INDEX readings_by_space ON readings (space, at_s)

CREATE TRIGGER readings_are_not_changed BEFORE UPDATE ON readings
BEGIN
  SELECT RAISE(ABORT, 'readings are not changed');
END

CREATE TRIGGER readings_are_kept BEFORE DELETE ON readings
BEGIN
  SELECT RAISE(ABORT, 'readings are kept');
END

-- The sums of an hour's readings.
CREATE TABLE usage_hours (
  space              TEXT    NOT NULL REFERENCES spaces (id),
  hour_s             INTEGER NOT NULL CHECK (hour_s % 3600 = 0),
  seconds            INTEGER NOT NULL,
  running_seconds    INTEGER NOT NULL,
  hibernated_seconds INTEGER NOT NULL,
  cpu_ms             INTEGER NOT NULL,
  memory_mib_seconds INTEGER NOT NULL,
  network_rx_bytes   INTEGER NOT NULL,
  network_tx_bytes   INTEGER NOT NULL,
  disk_read_bytes    INTEGER NOT NULL,
  disk_write_bytes   INTEGER NOT NULL,
  storage_kib_s      INTEGER NOT NULL,
  posts              INTEGER NOT NULL,
  PRIMARY KEY (space, hour_s)
) STRICT, WITHOUT ROWID

CREATE TRIGGER a_reading_is_of_an_hour AFTER INSERT ON readings
BEGIN
  INSERT INTO usage_hours VALUES (NEW.space, NEW.at_s - NEW.at_s % 3600, NEW.seconds, NEW.running_seconds, NEW.hibernated_seconds,
    NEW.cpu_ms, NEW.memory_mib_seconds, NEW.network_rx_bytes, NEW.network_tx_bytes, NEW.disk_read_bytes, NEW.disk_write_bytes,
    NEW.storage_kib * NEW.seconds, NEW.posts)
  ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds, running_seconds = running_seconds + excluded.running_seconds,
    hibernated_seconds = hibernated_seconds + excluded.hibernated_seconds, cpu_ms = cpu_ms + excluded.cpu_ms,
    memory_mib_seconds = memory_mib_seconds + excluded.memory_mib_seconds,
    network_rx_bytes = network_rx_bytes + excluded.network_rx_bytes, network_tx_bytes = network_tx_bytes + excluded.network_tx_bytes,
    disk_read_bytes = disk_read_bytes + excluded.disk_read_bytes, disk_write_bytes = disk_write_bytes + excluded.disk_write_bytes,
    storage_kib_s = storage_kib_s + excluded.storage_kib_s, posts = posts + excluded.posts;
END

-- Months that are closed, by space.
CREATE TABLE invoices (
  space        TEXT    NOT NULL REFERENCES spaces (id),
  month        TEXT    NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'),
  issued_at    INTEGER NOT NULL,
  total        INTEGER NOT NULL CHECK (total >= 0),
  PRIMARY KEY (space, month)
) STRICT, WITHOUT ROWID

CREATE TRIGGER invoices_are_not_changed BEFORE UPDATE ON invoices
BEGIN
  SELECT RAISE(ABORT, 'invoices are not changed');
END

CREATE TRIGGER invoices_are_kept BEFORE DELETE ON invoices
BEGIN
  SELECT RAISE(ABORT, 'invoices are kept');
END

CREATE TRIGGER invoices_are_not_replaced BEFORE INSERT ON invoices
WHEN EXISTS (SELECT 1 FROM invoices WHERE space = NEW.space AND month = NEW.month)
BEGIN
  SELECT RAISE(ABORT, 'invoices are not replaced');
END

-- What is due: on the invoice of month, for use in used_month at a price. Of the amount, charged was taken from
-- the balance; the rest is owed. Base and storage are in seconds and KiB-seconds.
CREATE TABLE lines (
  space        TEXT    NOT NULL REFERENCES spaces (id),
  month        TEXT    NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'),
  used_month   TEXT    NOT NULL CHECK (used_month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]' AND used_month <= month),
  meter        TEXT    NOT NULL CHECK (meter IN ('base', 'posts', 'storage')),
  price        INTEGER NOT NULL REFERENCES prices (version),
  quantity     INTEGER NOT NULL CHECK (quantity >= 0),
  amount       INTEGER NOT NULL CHECK (amount >= 0),
  charged      INTEGER NOT NULL DEFAULT 0 CHECK (charged BETWEEN 0 AND amount),
  PRIMARY KEY (space, month, used_month, meter, price)
) STRICT, WITHOUT ROWID

CREATE INDEX lines_owed ON lines (space) WHERE charged < amount

CREATE TRIGGER lines_only_grow BEFORE UPDATE ON lines
WHEN NEW.space <> OLD.space OR NEW.month <> OLD.month OR NEW.used_month <> OLD.used_month
  OR NEW.meter <> OLD.meter OR NEW.price <> OLD.price
  OR NEW.quantity < OLD.quantity OR NEW.amount < OLD.amount OR NEW.charged < OLD.charged
BEGIN
  SELECT RAISE(ABORT, 'lines only grow');
END

CREATE TRIGGER lines_of_an_invoice_stay BEFORE UPDATE ON lines
WHEN (NEW.quantity <> OLD.quantity OR NEW.amount <> OLD.amount)
  AND EXISTS (SELECT 1 FROM invoices WHERE space = NEW.space AND month = NEW.month)
BEGIN
  SELECT RAISE(ABORT, 'lines of an invoice stay');
END

CREATE TRIGGER an_invoice_gets_no_lines BEFORE INSERT ON lines
WHEN EXISTS (SELECT 1 FROM invoices WHERE space = NEW.space AND month = NEW.month)
BEGIN
  SELECT RAISE(ABORT, 'an invoice gets no lines');
END

CREATE TRIGGER lines_are_kept BEFORE DELETE ON lines
BEGIN
  SELECT RAISE(ABORT, 'lines are kept');
END

-- How the money of a space stands.
CREATE TABLE standings (
  space          TEXT    NOT NULL PRIMARY KEY REFERENCES spaces (id),
  is_free        INTEGER NOT NULL CHECK (is_free IN (0, 1)),
  accrued_s      INTEGER NOT NULL,
  n_charges      INTEGER NOT NULL DEFAULT 0,
  spend_day      INTEGER NOT NULL DEFAULT 0 CHECK (spend_day >= 0),
  warned_days    INTEGER,
  owed_since     INTEGER,
  suspended_by   TEXT    CHECK (suspended_by IN ('payment', 'operator')),
  suspended_at   INTEGER,
  ended_s        INTEGER,
  CHECK ((suspended_by IS NULL) = (suspended_at IS NULL))
) STRICT, WITHOUT ROWID

CREATE INDEX standings_to_accrue ON standings (accrued_s) WHERE ended_s IS NULL

-- Who paid for no first month was asked for nothing.
INSERT INTO standings (space, is_free, accrued_s, ended_s) SELECT id, NOT EXISTS (SELECT 1 FROM transfers WHERE transfers.id = 'first-month:' || spaces.id), created_at / 1000, iif(desired = 'deleted', updated_at / 1000, NULL) FROM spaces

INSERT INTO periods (space, from_s) SELECT id, ready_at / 1000 FROM spaces WHERE ready_at IS NOT NULL AND desired <> 'deleted'

-- The request with which a space's wish came.
ALTER TABLE spaces ADD COLUMN request_id TEXT

-- Hosts that get no more spaces, and when a worker last said what is there.
ALTER TABLE hosts ADD COLUMN drained_at INTEGER

ALTER TABLE hosts ADD COLUMN inventory_at INTEGER

-- Where tenants want to be told.
CREATE TABLE contacts (
  wallet         TEXT    NOT NULL PRIMARY KEY CHECK (length(wallet) = 42),
  webhook_url    TEXT    CHECK (length(webhook_url) BETWEEN 8 AND 2000),
  webhook_secret TEXT,
  email          TEXT    CHECK (length(email) BETWEEN 3 AND 254),
  updated_at     INTEGER NOT NULL,
  CHECK ((webhook_url IS NULL) = (webhook_secret IS NULL))
) STRICT, WITHOUT ROWID

-- Notices on their way.
CREATE TABLE deliveries (
  id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 3 AND 64),
  space        TEXT    NOT NULL REFERENCES spaces (id),
  event        INTEGER NOT NULL REFERENCES events (seq),
  wallet       TEXT    NOT NULL CHECK (length(wallet) = 42),
  channel      TEXT    NOT NULL CHECK (channel IN ('webhook', 'email')),
  state        TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at      INTEGER,
  problem      TEXT,
  created_at   INTEGER NOT NULL,
  UNIQUE (event, wallet, channel),
  CHECK ((state = 'pending') = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID

CREATE INDEX deliveries_to_make ON deliveries (next_at) WHERE state = 'pending'

-- What hosts have, as their workers last said.
CREATE TABLE inventories (
  host         TEXT    NOT NULL REFERENCES hosts (name),
  space        TEXT    NOT NULL,
  taken_at     INTEGER NOT NULL,
  containers   INTEGER NOT NULL CHECK (containers >= 0),
  running      INTEGER NOT NULL CHECK (running >= 0),
  volumes      INTEGER NOT NULL CHECK (volumes >= 0),
  networks     INTEGER NOT NULL CHECK (networks >= 0),
  volumes_wanted INTEGER,
  PRIMARY KEY (host, space)
) STRICT, WITHOUT ROWID
