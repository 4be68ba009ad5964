-- Statements are separated by an empty line.

-- Payments by x402, by the id that follows from network, asset, payer and nonce. Amounts are in µUSD,
-- valid_after and valid_before in Unix seconds, other times in Unix milliseconds.
CREATE TABLE payments (
  id               TEXT    NOT NULL PRIMARY KEY CHECK (id GLOB 'pay_*' AND length(id) = 36),
  version          INTEGER NOT NULL CHECK (version IN (1, 2)),
  chain_id         INTEGER NOT NULL CHECK (chain_id > 0),
  asset            TEXT    NOT NULL CHECK (length(asset) = 42),
  payer            TEXT    NOT NULL CHECK (length(payer) = 42),
  nonce            TEXT    NOT NULL CHECK (length(nonce) = 66),
  pay_to           TEXT    NOT NULL CHECK (length(pay_to) = 42),
  amount           INTEGER NOT NULL CHECK (amount > 0),
  valid_before     INTEGER NOT NULL,
  question         TEXT    NOT NULL CHECK (json_valid(question)),
  account          TEXT    NOT NULL,
  identifier       TEXT,
  fingerprint      TEXT    NOT NULL CHECK (length(fingerprint) = 64),
  state            TEXT    NOT NULL CHECK (state IN ('settling', 'unknown', 'refused', 'settled')),
  reason           TEXT,
  transaction_hash TEXT    CHECK (length(transaction_hash) = 66),
  lease_until      INTEGER,
  is_in_doubt      INTEGER NOT NULL DEFAULT 0 CHECK (is_in_doubt IN (0, 1)),
  check_at         INTEGER,
  serving_until    INTEGER,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  settled_at       INTEGER,
  UNIQUE (chain_id, asset, payer, nonce),
  CHECK ((state = 'settling') = (lease_until IS NOT NULL)),
  CHECK ((state = 'settled') = (settled_at IS NOT NULL)),
  CHECK (state <> 'settled' OR transaction_hash IS NOT NULL),
  CHECK ((state = 'refused') = (reason IS NOT NULL))
) STRICT

CREATE UNIQUE INDEX an_identifier_names_one_payment ON payments (payer, identifier) WHERE identifier IS NOT NULL

CREATE INDEX payments_to_look_into ON payments (coalesce(check_at, lease_until)) WHERE state <> 'settled'

CREATE INDEX payments_by_transaction ON payments (transaction_hash) WHERE transaction_hash IS NOT NULL

CREATE TRIGGER what_is_paid_stays BEFORE UPDATE ON payments
WHEN NEW.id <> OLD.id OR NEW.chain_id <> OLD.chain_id OR NEW.asset <> OLD.asset
  OR NEW.payer <> OLD.payer OR NEW.nonce <> OLD.nonce OR NEW.pay_to <> OLD.pay_to
  OR NEW.amount <> OLD.amount OR NEW.valid_before <> OLD.valid_before
  OR NEW.created_at <> OLD.created_at
BEGIN
  SELECT RAISE(ABORT, 'what is paid stays');
END

CREATE TRIGGER a_settled_payment_stays_settled BEFORE UPDATE ON payments
WHEN OLD.state = 'settled'
  AND (NEW.state <> 'settled' OR NEW.account <> OLD.account
    OR NEW.transaction_hash <> OLD.transaction_hash OR NEW.settled_at <> OLD.settled_at
    OR NEW.fingerprint <> OLD.fingerprint OR NEW.identifier IS NOT OLD.identifier)
BEGIN
  SELECT RAISE(ABORT, 'a settled payment stays settled');
END

CREATE TRIGGER payments_are_kept BEFORE DELETE ON payments
BEGIN
  SELECT RAISE(ABORT, 'payments are kept');
END

CREATE TRIGGER payments_are_not_replaced BEFORE INSERT ON payments
WHEN EXISTS (
  SELECT 1 FROM payments WHERE id = NEW.id
    OR (chain_id = NEW.chain_id AND asset = NEW.asset AND payer = NEW.payer AND nonce = NEW.nonce)
    OR (payer = NEW.payer AND identifier = NEW.identifier)
)
BEGIN
  SELECT RAISE(ABORT, 'payments are not replaced');
END

-- First answers to paid requests of handlers that keep no books.
CREATE TABLE paid_answers (
  payment      TEXT    NOT NULL PRIMARY KEY REFERENCES payments (id),
  status       INTEGER NOT NULL,
  headers      TEXT    NOT NULL CHECK (json_valid(headers)),
  body_base64  TEXT    NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID

-- Where money is: the sums over the transfers, kept by them. What is held is still the holder's, and
-- no longer to be spent; what is incoming is held for this account by another.
CREATE TABLE accounts (
  account      TEXT    NOT NULL PRIMARY KEY,
  debits       INTEGER NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits      INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),
  held         INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
  incoming     INTEGER NOT NULL DEFAULT 0 CHECK (incoming >= 0),
  CHECK (
    account = 'revenue' OR account GLOB 'payments:*'
    OR ((account GLOB 'wallet:*' OR account GLOB 'space:*') AND credits - debits - held >= 0)
  )
) STRICT, WITHOUT ROWID

-- Money on its way, for ever. A row with expires_at is a hold. A row with ends is the end of one:
-- posted says again what the hold said, voided and expired say the opposite.
CREATE TABLE transfers (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 128),
  debit        TEXT    NOT NULL,
  credit       TEXT    NOT NULL CHECK (credit <> debit),
  amount       INTEGER NOT NULL CHECK (amount > 0),
  kind         TEXT    NOT NULL CHECK (kind IN ('payment', 'first-month', 'top-up', 'refund', 'charge')),
  at           INTEGER NOT NULL,
  payment      TEXT    REFERENCES payments (id),
  expires_at   INTEGER,
  ends         TEXT    UNIQUE REFERENCES transfers (id),
  outcome      TEXT    CHECK (outcome IN ('posted', 'voided', 'expired')),
  CHECK ((ends IS NULL) = (outcome IS NULL)),
  CHECK (ends IS NULL OR expires_at IS NULL),
  CHECK (kind <> 'payment' OR payment IS NOT NULL),
  CHECK ((kind = 'payment') = (debit GLOB 'payments:*')),
  CHECK (credit NOT GLOB 'payments:*'),
  CHECK (debit <> 'revenue' OR coalesce(outcome IN ('voided', 'expired'), FALSE))
) STRICT

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
