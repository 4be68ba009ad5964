//! Records of older versions, brought up to date: nothing in them is lost, and what is new follows from them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use credentials::sha256_hex;
use domain::{Money, SpaceId, Timestamp};
use ledger::Account;
use records::{Database as _, Records, Value};
use tempfile::TempDir;
use testkit::TestDatabase;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const WALLET: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const ASSET: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

const SCRIPTS: [(&str, &str); 5] = [
    ("0001_spaces", include_str!("../migrations/0001_spaces.sql")),
    ("0002_keys", include_str!("../migrations/0002_keys.sql")),
    ("0003_ledger", include_str!("../migrations/0003_ledger.sql")),
    ("0004_releases", include_str!("../migrations/0004_releases.sql")),
    ("0005_domains", include_str!("../migrations/0005_domains.sql")),
];

struct Scene {
    records: Records<TestDatabase>,
    database: TestDatabase,
    _directory: TempDir,
}

impl Scene {
    /// Records as they were after the first `n` migrations, with a host.
    async fn of(n: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.db");
        let records = Records::new(TestDatabase::open(&path));
        let scene = Self { records, database: TestDatabase::open(&path), _directory: directory };
        scene
            .run(
                "CREATE TABLE migrations (name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, \
                 applied_at INTEGER NOT NULL) STRICT",
            )
            .await;
        for (name, script) in &SCRIPTS[..n] {
            let is_comment = |it: &&str| it.lines().all(|line| line.starts_with("--"));
            for statement in script.split("\n\n").filter(|it| !is_comment(it)) {
                scene.run(statement).await;
            }
            let hash = sha256_hex(script);
            scene.run(&format!("INSERT INTO migrations VALUES ('{name}', '{hash}', 1)")).await;
        }
        let hash = "a".repeat(64);
        scene
            .run(&format!(
                "INSERT INTO hosts (name, key_sha256, created_at) VALUES ('h', '{hash}', 1)"
            ))
            .await;
        scene
    }

    async fn run(&self, statement: &str) {
        let done = self.database.execute(statement, vec![]).await;
        assert!(done.is_ok(), "{statement}: {done:?}");
    }

    /// The first column of what `statement` finds, as text.
    async fn ask(&self, statement: &str) -> Vec<String> {
        let rows = self.database.execute(statement, vec![]).await.unwrap();
        rows.iter().map(|it| it.text(0).to_owned()).collect()
    }

    /// Makes a space in this state. Returns its id.
    async fn space(
        &self,
        number: u8,
        name: &str,
        desired: &str,
        phase: &str,
        ready_ms: Option<i64>,
    ) -> String {
        let id = SpaceId::new(NOW, [number; 10]).to_string();
        let (ready, deleted) = (
            ready_ms.map_or("NULL".to_owned(), |it| it.to_string()),
            if phase == "deleted" { "3500000" } else { "NULL" },
        );
        self.run(&format!(
            "INSERT INTO spaces (id, name, title, app, settings, owner, host, memory_mib, desired, \
             generation, phase, change_seq, created_at, updated_at, ready_at, deleted_at) \
             VALUES ('{id}', '{name}', 't', 'hello', '{{}}', '{WALLET}', 'h', 32, '{desired}', 2, \
             '{phase}', 5, 1000000, 3000000, {ready}, {deleted})"
        ))
        .await;
        id
    }

    async fn transfer(
        &self,
        id: &str,
        [debit, credit]: [&str; 2],
        amount: u64,
        kind: &str,
        rest: &str,
    ) {
        self.run(&format!(
            "INSERT INTO transfers (id, debit, credit, amount, kind, at, payment, expires_at, ends, outcome) \
             VALUES ('{id}', '{debit}', '{credit}', {amount}, '{kind}', 1000, {rest})"
        ))
        .await;
    }
}

#[tokio::test]
async fn what_the_first_version_wrote_is_kept() {
    let scene = Scene::of(1).await;
    let id = SpaceId::new(NOW, [1; 10]);
    scene
        .run(&format!(
            "INSERT INTO spaces (id, name, title, app, settings, owner, host, memory_mib, desired, \
             generation, phase, change_seq, created_at, updated_at) VALUES ('{id}', 'garden', 't', \
             'hello', '{{}}', '{WALLET}', 'h', 32, 'running', 2, 'running', 5, 1, 1)"
        ))
        .await;
    scene.records.migrate(NOW).await.unwrap();
    let space = scene.records.living_space("garden").await.unwrap().unwrap();
    assert_eq!((space.id, space.standing.is_free), (id, true));
}

/// What accounts and transfers say, a line each.
const BOOKS: &str = "SELECT 'account ' || concat_ws('|', account, debits, credits, held, incoming) FROM accounts \
    UNION ALL SELECT 'transfer ' || concat_ws('|', seq, id, debit, credit, amount, kind, at, \
      coalesce(payment, '-'), coalesce(expires_at, '-'), coalesce(ends, '-'), coalesce(outcome, '-')) \
    FROM transfers ORDER BY 1";

/// Books with every kind of transfer that there was before anything was metered.
async fn full_books(scene: &Scene, paid: &str, gone: &str) {
    let (payment, hash) = (format!("pay_{}", "a".repeat(32)), format!("0x{}", "b".repeat(64)));
    let wallet = format!("wallet:{WALLET}");
    scene
        .run(&format!(
            "INSERT INTO payments (id, version, chain_id, asset, payer, nonce, pay_to, amount, valid_before, \
             question, account, fingerprint, state, transaction_hash, created_at, updated_at, settled_at) \
             VALUES ('{payment}', 2, 84532, '{ASSET}', '{WALLET}', '{hash}', '{WALLET}', 9000000, 5, '{{}}', \
             '{wallet}', '{}', 'settled', '{hash}', 1, 1, 1)",
            "c".repeat(64)
        ))
        .await;
    let chain = format!("payments:eip155:84532:{ASSET}");
    let (paid, gone) = (format!("space:{paid}"), format!("space:{gone}"));
    let credited = format!("'{payment}', NULL, NULL, NULL");
    scene.transfer("credit", [&chain, &wallet], 9_000_000, "payment", &credited).await;
    for (id, space, amount) in [(&paid[6..], &paid, 5_000_000), (&gone[6..], &gone, 1_000_000)] {
        let hold = format!("first-month:{id}");
        scene
            .transfer(&hold, [&wallet, space], amount, "first-month", "NULL, 9000, NULL, NULL")
            .await;
    }
    let ends = |hold: &str, outcome: &str| {
        format!("NULL, NULL, 'first-month:{}', '{outcome}'", &hold[6..])
    };
    scene
        .transfer("posted", [&wallet, &paid], 5_000_000, "first-month", &ends(&paid, "posted"))
        .await;
    scene
        .transfer("voided", [&gone, &wallet], 1_000_000, "first-month", &ends(&gone, "voided"))
        .await;
    let plain = "NULL, NULL, NULL, NULL";
    scene.transfer("top-up", [&wallet, &paid], 2_000_000, "top-up", plain).await;
    scene.transfer("charge", [&paid, "revenue"], 30_000, "charge", plain).await;
    scene.transfer("hold", [&wallet, &paid], 70, "first-month", "NULL, 99999, NULL, NULL").await;
}

#[tokio::test]
async fn full_books_are_the_same_afterwards_and_still_keep_their_rules() {
    let scene = Scene::of(5).await;
    let paid = scene.space(1, "paid", "running", "running", Some(2_000_000)).await;
    scene.space(2, "early", "running", "provisioning", None).await;
    scene.space(3, "free", "running", "running", Some(2_500_000)).await;
    let gone = scene.space(4, "gone", "deleted", "deleted", Some(2_000_000)).await;
    full_books(&scene, &paid, &gone).await;
    let before = scene.ask(BOOKS).await;
    assert_eq!(before.len(), 5 + 8, "{before:#?}");

    scene.records.migrate(NOW).await.unwrap();
    assert_eq!(scene.ask(BOOKS).await, before);
    assert_eq!(scene.ask("PRAGMA integrity_check").await, ["ok"]);
    assert!(scene.database.execute("PRAGMA foreign_key_check", vec![]).await.unwrap().is_empty());
    let audit = scene.records.audit(NOW).await.unwrap();
    assert!(audit.bad_accounts.is_empty() && audit.bad_credits.is_empty(), "{audit:#?}");

    // From when on each is charged, and whether at all.
    let standings = "SELECT concat_ws('|', name, is_free, accrued_s, coalesce(ended_s, '-'), \
        coalesce((SELECT from_s || '..' || coalesce(to_s, '') FROM periods WHERE space = id), '-')) \
        FROM standings JOIN spaces ON id = space ORDER BY name";
    let want =
        ["early|1|1000|-|-", "free|1|1000|-|2500..", "gone|0|1000|3000|-", "paid|0|1000|-|2000.."];
    assert_eq!(scene.ask(standings).await, want);

    // The rules hold as before, and the new account is one.
    for statement in [
        "UPDATE transfers SET amount = amount + 1",
        "DELETE FROM transfers",
        "INSERT INTO transfers (id, debit, credit, amount, kind, at) VALUES ('x', 'space:y', 'revenue', 1, 'usage', 1)",
        "INSERT INTO transfers (id, debit, credit, amount, kind, at) VALUES ('x', 'grants', 'revenue', 1, 'top-up', 1)",
        "INSERT INTO transfers (id, debit, credit, amount, kind, at, ends, outcome) SELECT 'x', debit, credit, amount, kind, 1, ends, outcome FROM transfers WHERE id = 'posted'",
    ] {
        assert!(scene.database.execute(statement, vec![]).await.is_err(), "{statement}");
    }
    let account = Account::Space(paid.parse().unwrap());
    let balance = scene.records.balance(&account).await.unwrap().available;
    assert_eq!(balance, Money::from_micros(6_970_000).unwrap());
    let overdraft = "INSERT INTO transfers (id, debit, credit, amount, kind, at) VALUES (?, ?, 'revenue', ?, 'usage', 1)";
    let spend = async |amount: i64| {
        let parameters = vec![
            Value::Text(format!("spend-{amount}")),
            Value::Text(format!("space:{paid}")),
            Value::Integer(amount),
        ];
        scene.database.execute(overdraft, parameters).await
    };
    assert!(spend(6_970_001).await.is_err());
    spend(6_970_000).await.unwrap();
}
