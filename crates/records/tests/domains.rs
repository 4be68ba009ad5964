//! Who claims a domain and who has it, and what must always hold of that.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::{path::PathBuf, time::Duration};

use domain::{CustomDomain, SpaceId, Timestamp, Wallet};
use fleet::{AppOffer, Hello};
use proptest::prelude::*;
use records::{
    Answer, By, ClaimError, Database as _, DomainRecord, DomainState, Look, NewClaim, NewSpace,
    Proof, Records, RemoveError, Wish,
};
use serde_json::json;
use tempfile::TempDir;
use testkit::TestDatabase;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// Records with one host and the spaces `garden`, `meadow` and `pond`.
struct Scene {
    _directory: TempDir,
    path: PathBuf,
    records: Records<TestDatabase>,
    spaces: Vec<SpaceId>,
}

impl Scene {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.db");
        let records = Records::new(TestDatabase::open(&path));
        records.migrate(NOW).await.unwrap();
        records.add_host("host-1", &"a".repeat(64), NOW).await.unwrap();
        let offer = AppOffer {
            id: "hello".to_owned(),
            title: "Hello".to_owned(),
            description: "Says hello.".to_owned(),
            release: "one".to_owned(),
            version: "1.0".to_owned(),
            memory_mib: 1,
            cpus_milli: 1,
            disk_mib: 1,
            settings_schema: json!({}),
        };
        let hello = Hello {
            version: "1".to_owned(),
            gateway_url: "http://127.0.0.1:8080".to_owned(),
            memory_mib: 1000,
            apps: vec![offer.clone()],
        };
        records.hello("host-1", &hello, NOW).await.unwrap();
        let mut spaces = Vec::new();
        for (number, name) in (1..).zip(["garden", "meadow", "pond"]) {
            let new = NewSpace {
                id: SpaceId::new(NOW, [number; 10]),
                name: name.parse().unwrap(),
                title: name.to_owned(),
                settings: json!({}),
                offer: offer.clone(),
                owner: wallet(),
                is_free: false,
                request_id: None,
            };
            records.create_space(&new, None, None, NOW, None, |_| answer()).await.unwrap();
            spaces.push(new.id);
        }
        Self { _directory: directory, path, records, spaces }
    }

    async fn claim(&self, space: usize, domain: &str, look: Look) -> Result<Answer, ClaimError> {
        let (space, domain) = (&self.spaces[space], &domain.parse().unwrap());
        let claim = NewClaim { space, domain, actor: "0x", look };
        self.records.claim_domain(&claim, NOW, None, |_| answer()).await
    }

    async fn note(&self, space: usize, domain: &str, look: Look) -> Option<DomainRecord> {
        let domain = domain.parse().unwrap();
        self.records.note_look(&self.spaces[space], &domain, &look, NOW).await.unwrap()
    }

    async fn delete(&self, space: usize) {
        let (space, by) = (&self.spaces[space], By { actor: "0x", request_id: None });
        self.records.want(space, Wish::Delete, &by, NOW, None, |_| answer()).await.unwrap();
    }

    async fn of(&self, space: usize) -> Vec<(String, DomainState)> {
        let domains = self.records.domains_of(&self.spaces[space]).await.unwrap();
        domains.into_iter().map(|it| (it.domain.into(), it.state)).collect()
    }

    /// Runs a statement that no code of ours sends.
    async fn attack(&self, statement: &str) -> Result<(), String> {
        let database = TestDatabase::open(&self.path);
        database.execute(statement, vec![]).await.map(|_| ()).map_err(|it| it.to_string())
    }
}

fn wallet() -> Wallet {
    format!("0x{:040x}", 7).parse().unwrap()
}

fn answer() -> Answer {
    Answer { status: 201, location: None, body: "{}".to_owned() }
}

fn missing() -> Look {
    Err("nothing is there".to_owned())
}

#[tokio::test]
async fn the_schema_refuses_what_must_not_be() {
    let scene = Scene::new().await;
    scene.claim(0, "garden.org", Ok(Proof::Txt)).await.unwrap();
    scene.claim(1, "garden.org", missing()).await.unwrap_err();
    scene.claim(1, "meadow.org", missing()).await.unwrap();
    let [garden, meadow, pond] = [0, 1, 2].map(|it| scene.spaces[it].as_str());
    let insert = |space: &str, domain: &str, rest: &str| {
        format!(
            "INSERT INTO domains (space, domain, state, created_at, check_at, proven_at) \
             VALUES ('{space}', '{domain}', {rest})"
        )
    };
    let (pending, proven) = ("'pending', 1, 1, NULL", "'proven', 1, NULL, 1");
    let replace = |it: String| it.replace("INSERT", "INSERT OR REPLACE");
    let nobody = SpaceId::new(NOW, [9; 10]).to_string();
    #[rustfmt::skip]
    let rows = [
        ("a second space that has it",     insert(meadow, "garden.org", proven)),
        ("one that takes its place",       replace(insert(meadow, "garden.org", proven))),
        ("a claim that takes its place",   replace(insert(garden, "garden.org", pending))),
        ("a second claim of one space",    insert(meadow, "meadow.org", pending)),
        ("a domain of no space",           insert(&nobody, "pond.org", pending)),
        ("one in upper case",              insert(pond, "Pond.org", pending)),
        ("one with a dot at its end",      insert(pond, "pond.org.", pending)),
        ("one with a dot before it",       insert(pond, ".pond.org", pending)),
        ("one without a dot",              insert(pond, "org", pending)),
        ("one with a wildcard",            insert(pond, "*.pond.org", pending)),
        ("one with a backtick",            insert(pond, "a`b.org", pending)),
        ("one that is too long",           insert(pond, &format!("{}.org", "a".repeat(239)), pending)),
        ("an unknown state",               insert(pond, "pond.org", "'lost', 1, 1, NULL")),
        ("proven at no time",              insert(pond, "pond.org", "'proven', 1, NULL, NULL")),
        ("pending and proven",             insert(pond, "pond.org", "'pending', 1, 1, 1")),
        ("a claim nobody looks for",       insert(pond, "pond.org", "'pending', 1, NULL, NULL")),
        ("a proof that is taken back",     format!("UPDATE domains SET state = 'pending', proven_at = NULL, check_at = 1 WHERE space = '{garden}'")),
        ("a domain that is given away",    format!("UPDATE domains SET space = '{pond}' WHERE space = '{garden}'")),
        ("a claim that is given away",     format!("UPDATE domains SET space = '{pond}' WHERE space = '{meadow}'")),
        ("a claim on something else",      format!("UPDATE domains SET domain = 'pond.org' WHERE space = '{meadow}'")),
        ("a younger claim",                "UPDATE domains SET created_at = 9".to_owned()),
    ];
    for (what, statement) in rows {
        assert!(scene.attack(&statement).await.is_err(), "{what}: {statement}");
    }
    // What the rows begin with is no mistake itself.
    scene.attack(&insert(pond, "pond.org", pending)).await.unwrap();
    scene.attack(&insert(pond, "www.pond.org", proven)).await.unwrap();
    for number in 0..8 {
        scene.attack(&insert(pond, &format!("pond-{number}.org"), pending)).await.unwrap();
    }
    let eleventh = scene.attack(&insert(pond, "pond-8.org", pending)).await.unwrap_err();
    assert!(eleventh.contains("ten domains at most"), "{eleventh}");
    scene.delete(2).await;
    let dead = scene.attack(&insert(pond, "pond.org", pending)).await.unwrap_err();
    assert!(dead.contains("only living spaces have domains"), "{dead}");
}

#[tokio::test]
async fn a_deleted_space_frees_what_it_has_and_claims() {
    let scene = Scene::new().await;
    scene.claim(0, "garden.org", Ok(Proof::Cname)).await.unwrap();
    scene.claim(0, "pond.org", missing()).await.unwrap();
    assert!(matches!(scene.claim(1, "garden.org", missing()).await, Err(ClaimError::Taken)));
    scene.delete(0).await;
    assert_eq!(scene.of(0).await, []);
    assert!(!scene.records.has_domain(&"garden.org".parse().unwrap()).await.unwrap());
    scene.claim(1, "garden.org", Ok(Proof::Txt)).await.unwrap();
    assert!(matches!(scene.claim(0, "shed.org", missing()).await, Err(ClaimError::Gone)));
    // A look that began before is a look for nothing.
    assert_eq!(scene.note(0, "pond.org", Ok(Proof::Txt)).await, None);
}

#[tokio::test]
async fn other_spaces_keep_their_domains() {
    let scene = Scene::new().await;
    scene.claim(0, "garden.org", Ok(Proof::Txt)).await.unwrap();
    scene.claim(1, "meadow.org", Ok(Proof::Txt)).await.unwrap();
    scene.delete(0).await;
    assert_eq!(scene.of(1).await, [("meadow.org".to_owned(), DomainState::Proven)]);
}

#[tokio::test]
async fn claims_expire_after_seven_days_and_domains_never() {
    let scene = Scene::new().await;
    scene.claim(0, "garden.org", Ok(Proof::Txt)).await.unwrap();
    scene.claim(0, "pond.org", missing()).await.unwrap();
    let just_before = Timestamp::from_unix_ms(NOW.plus(7 * DAY).unix_ms() - 1);
    assert_eq!(scene.records.expire_claims(just_before).await.unwrap(), 0);
    assert_eq!(scene.records.expire_claims(NOW.plus(7 * DAY)).await.unwrap(), 1);
    assert_eq!(scene.records.expire_claims(NOW.plus(400 * DAY)).await.unwrap(), 0);
    assert_eq!(scene.of(0).await, [("garden.org".to_owned(), DomainState::Proven)]);
    let events = scene.records.events(&scene.spaces[0], 0, 100).await.unwrap();
    let last = events.last().unwrap();
    assert_eq!((&*last.kind, &*last.actor), ("domain-removed", "spaceport"));
    assert_eq!(last.detail["domain"], "pond.org");
}

#[tokio::test]
async fn no_two_look_for_a_proof_at_once() {
    let scene = Scene::new().await;
    for number in 0..5 {
        scene.claim(0, &format!("garden-{number}.org"), missing()).await.unwrap();
    }
    let due = NOW.plus(Duration::from_mins(1));
    let mut seen = Vec::new();
    for want in [3, 2, 0] {
        let claims = scene.records.claims_to_look_for(due, 3).await.unwrap();
        assert_eq!(claims.len(), want);
        seen.extend(claims.into_iter().map(|it| it.domain));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    // Whoever began and died has looked for nothing; it is due again.
    let later = due.plus(Duration::from_mins(1));
    assert_eq!(scene.records.claims_to_look_for(later, 9).await.unwrap().len(), 5);

    let (space, domain) = (&scene.spaces[0], "garden-0.org".parse().unwrap());
    let five = Duration::from_secs(5);
    for (at_ms, may) in [(4_999, false), (5_000, true), (5_000, false), (10_000, true)] {
        let now = NOW.plus(Duration::from_millis(at_ms));
        assert_eq!(scene.records.begin_look(space, &domain, five, now).await.unwrap(), may);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_removed() {
    let scene = Scene::new().await;
    scene.claim(0, "garden.org", missing()).await.unwrap();
    let domain: CustomDomain = "garden.org".parse().unwrap();
    for (space, is_there) in [(1, false), (0, true), (0, false)] {
        let (space, answer) = (&scene.spaces[space], answer());
        let removed = scene.records.remove_domain(space, &domain, "0x", NOW, None, answer).await;
        assert_eq!(removed.is_ok(), is_there);
        assert!(is_there || matches!(removed, Err(RemoveError::NotThere)));
    }
}

/// What tenants, DNS and time do to the domains of three spaces.
#[derive(Clone, Debug)]
enum Act {
    Claim(usize, usize, bool),
    Look(usize, usize, bool),
    Remove(usize, usize),
    Delete(usize),
    Expire,
}

fn act() -> impl Strategy<Value = Act> {
    let pair = || (0..3_usize, 0..3_usize);
    prop_oneof![
        4 => (pair(), any::<bool>()).prop_map(|((s, d), is_proof)| Act::Claim(s, d, is_proof)),
        4 => (pair(), any::<bool>()).prop_map(|((s, d), is_proof)| Act::Look(s, d, is_proof)),
        2 => pair().prop_map(|(s, d)| Act::Remove(s, d)),
        1 => (0..3_usize).prop_map(Act::Delete),
        1 => Just(Act::Expire),
    ]
}

/// The same by a rule of thumb: for each space, nothing, a claim, or the domain.
#[derive(Default)]
struct Model {
    states: [[Option<bool>; 3]; 3],
    is_dead: [bool; 3],
}

impl Model {
    fn is_taken(&self, space: usize, domain: usize) -> bool {
        (0..3).any(|it| it != space && self.states[it][domain] == Some(true))
    }

    fn apply(&mut self, act: &Act) {
        match *act {
            Act::Claim(s, d, _) if self.is_dead[s] || self.is_taken(s, d) => {}
            Act::Claim(s, d, is_proof) => {
                self.states[s][d] = Some(is_proof || self.states[s][d] == Some(true));
            }
            Act::Look(s, d, true) if self.states[s][d].is_some() && !self.is_taken(s, d) => {
                self.states[s][d] = Some(true);
            }
            Act::Look(..) => {}
            Act::Remove(s, d) => self.states[s][d] = None,
            Act::Delete(s) => (self.states[s], self.is_dead[s]) = ([None; 3], true),
            Act::Expire => {
                for state in self.states.iter_mut().flatten().filter(|it| **it == Some(false)) {
                    *state = None;
                }
            }
        }
    }
}

impl Scene {
    async fn apply(&self, act: &Act) {
        let domain = |it: usize| ["a.org", "b.org", "c.org"][it];
        let look = |is_proof| if is_proof { Ok(Proof::Txt) } else { missing() };
        match *act {
            Act::Claim(s, d, is_proof) => {
                let _ = self.claim(s, domain(d), look(is_proof)).await;
            }
            Act::Look(s, d, is_proof) => {
                self.note(s, domain(d), look(is_proof)).await;
            }
            Act::Remove(s, d) => {
                let domain = domain(d).parse().unwrap();
                let (space, answer) = (&self.spaces[s], answer());
                let _ = self.records.remove_domain(space, &domain, "0x", NOW, None, answer).await;
            }
            Act::Delete(s) => self.delete(s).await,
            Act::Expire => {
                self.records.expire_claims(NOW.plus(8 * DAY)).await.unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens in whatever order, a domain is one living space's at most, and each space
    /// has what it should.
    #[test]
    fn a_domain_is_one_spaces_at_most(acts in prop::collection::vec(act(), 1..40)) {
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(async {
            let (scene, mut model) = (Scene::new().await, Model::default());
            for act in &acts {
                scene.apply(act).await;
                model.apply(act);
            }
            for space in 0..3 {
                let names = ["a.org", "b.org", "c.org"].into_iter().zip(model.states[space]);
                let want: Vec<_> = names
                    .filter_map(|(name, is_proven)| {
                        let is_proven = is_proven?;
                        let state =
                            if is_proven { DomainState::Proven } else { DomainState::Pending };
                        Some((name.to_owned(), state))
                    })
                    .collect();
                assert_eq!(scene.of(space).await, want, "{space}: {acts:?}");
            }
        });
    }
}
