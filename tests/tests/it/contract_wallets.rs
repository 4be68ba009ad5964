//! Wallets that are contracts: they sign in where their chain says that they agree (EIP-1271), also
//! before they are on it (EIP-6492).

use e2e::{Answer, BadRpc, Behaviour, Chain, Installation, Key};
use serde_json::json;

use crate::edge::{Edge, refused};

const CHAIN_ID: u64 = 31337;

/// An edge that can ask a chain.
struct Smart {
    edge: Edge,
    chain: Chain,
    owner: Key,
}

impl Smart {
    fn start() -> Self {
        let chain = Chain::start(CHAIN_ID);
        let rpc_urls = json!({ CHAIN_ID.to_string(): [chain.url()] }).to_string();
        let edge = Edge::of(Installation::default().with_variable("rpc_urls", &rpc_urls));
        let owner = edge.signer.fresh();
        Self { edge, chain, owner }
    }

    /// A message of the wallet at `address` on a chain.
    fn message(&self, address: &str, chain_id: u64) -> String {
        let fields = json!({ "nonce": self.edge.nonce(), "address": address, "chainId": chain_id });
        self.edge.signer.message(&self.owner.key, self.edge.client().origin(), &fields).message
    }

    fn verify(&self, message: &str, signature: &str) -> Answer {
        self.edge.verify(&json!({ "message": message, "signature": signature }))
    }

    /// What the key of the owner signs.
    fn signed(&self, text: &str) -> String {
        self.edge.signer.text(&self.owner.key, text).signature
    }

    /// Checks that a wallet signs in with what `sign` makes of a message, once.
    fn lets_in(&self, address: &str, sign: impl Fn(&str) -> String) {
        let message = self.message(address, CHAIN_ID);
        let signature = sign(&message);
        let answer = self.verify(&message, &signature);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json["address"], address);
        assert_eq!(answer.json["chain_id"], CHAIN_ID);
        let session = self.edge.client().get("/v1/auth/session", Some(&answer.field("token")));
        assert_eq!(session.json["address"], address, "{}", session.text);
        assert_eq!(self.verify(&message, &signature).problem(), refused(401, "nonce-used"));
    }

    /// Checks that a wallet does not sign in with what `sign` makes of a message.
    fn keeps_out(&self, address: &str, case: &str, sign: impl Fn(&str) -> String) {
        let message = self.message(address, CHAIN_ID);
        let answer = self.verify(&message, &sign(&message));
        assert_eq!(answer.problem(), refused(401, "bad-signature"), "{case}");
    }
}

#[test]
fn a_wallet_that_agrees_signs_in_before_and_after_it_is_on_the_chain() {
    let smart = Smart::start();
    let signer = &smart.edge.signer;
    let stranger = signer.fresh();
    let wallet = smart.chain.wallet(&smart.owner.address);
    let by = |key: &Key, text: &str| signer.text(&key.key, text).signature;
    let wrapped = |key: &Key, text: &str| signer.wrapped(&wallet, &by(key, text));

    smart.keeps_out(&wallet.address, "not there yet", |it| smart.signed(it));
    smart.keeps_out(&wallet.address, "not its owner's", |it| wrapped(&stranger, it));
    smart.lets_in(&wallet.address, |it| wrapped(&smart.owner, it));
    let elsewhere = smart.chain.wallet(&stranger.address);
    smart.keeps_out(&elsewhere.address, "another wallet's factory", |it| wrapped(&stranger, it));

    smart.chain.build(&wallet);
    smart.lets_in(&wallet.address, |it| smart.signed(it));
    smart.lets_in(&wallet.address, |it| wrapped(&smart.owner, it));
    smart.keeps_out(&wallet.address, "not its owner's", |it| by(&stranger, it));
    smart.keeps_out(&wallet.address, "another text", |_| smart.signed("another text"));

    // Keys sign in on this chain as on any other.
    smart.lets_in(&smart.owner.address, |it| smart.signed(it));
    smart.keeps_out(&stranger.address, "another key's", |it| smart.signed(it));
}

#[test]
fn a_safe_signs_in_with_enough_of_its_owners() {
    let smart = Smart::start();
    let signer = &smart.edge.signer;
    let owners = [signer.fresh(), signer.fresh(), signer.fresh()];
    let stranger = signer.fresh();
    let addresses: Vec<&str> = owners.iter().map(|it| &*it.address).collect();
    let safe = smart.chain.safe(&addresses, 2);
    let by = |keys: &[&Key], text: &str| signer.text_of_safe(keys, &safe.address, CHAIN_ID, text);
    let wrapped = |keys: &[&Key], text: &str| signer.wrapped(&safe, &by(keys, text));

    let two = [&owners[0], &owners[2]];
    smart.lets_in(&safe.address, |it| wrapped(&two, it));
    smart.keeps_out(&safe.address, "one, before", |it| wrapped(&two[..1], it));
    smart.chain.build(&safe);
    #[rustfmt::skip]
    let rows: [(&str, &[&Key], bool); 5] = [
        ("two",                &two,                       true),
        ("all",                &[&owners[0], &owners[1], &owners[2]], true),
        ("one",                &two[..1],                  false),
        ("the same one twice", &[&owners[0], &owners[0]],  false),
        ("one and a stranger", &[&owners[0], &stranger],   false),
    ];
    for (case, keys, is_enough) in rows {
        if is_enough {
            smart.lets_in(&safe.address, |it| by(keys, it));
        } else {
            smart.keeps_out(&safe.address, case, |it| by(keys, it));
        }
    }
    let of_other_chain = |text: &str| signer.text_of_safe(&two, &safe.address, 1, text);
    smart.keeps_out(&safe.address, "for another chain", of_other_chain);
}

#[test]
fn a_contract_that_does_not_agree_signs_nobody_in() {
    let smart = Smart::start();
    let contracts = [
        "Reverts",
        "RevertsWithMagic",
        "BurnsAllGas",
        "LoopsForever",
        "AnswersNothing",
        "AnswersShort",
        "AnswersOther",
        "AnswersTrue",
        "AnswersMagicAsNumber",
        "AnswersDirtyMagic",
        "AnswersThreeMegabytes",
    ];
    let message = smart.message(&smart.owner.address, CHAIN_ID);
    for name in contracts {
        let address = smart.chain.deploy(name, &[]).address;
        let message = message.replace(&smart.owner.address, &address);
        // As good as any for a contract that looks at none of them.
        for signature in [smart.signed(&message), "0x".to_owned(), "0x00".to_owned()] {
            let answer = smart.verify(&message, &signature);
            assert_eq!(answer.problem(), refused(401, "bad-signature"), "{name} {signature}");
        }
    }
    let answer = smart.verify(&message, &smart.signed(&message));
    assert_eq!(answer.status, 200, "none of them used the nonce up: {}", answer.text);
}

#[test]
fn a_chain_that_can_not_be_asked_signs_nobody_in_and_takes_no_nonce() {
    let mut smart = Smart::start();
    let wallet = smart.chain.wallet(&smart.owner.address);
    smart.chain.build(&wallet);
    let behaviours = [
        Behaviour::Fails,
        Behaviour::Closes,
        Behaviour::Html,
        Behaviour::Errors,
        Behaviour::OtherIds,
        Behaviour::Empties,
        Behaviour::ClaimsChain(1),
        Behaviour::Floods,
        Behaviour::Hangs,
    ];
    let id = 1001;
    let server = BadRpc::before(smart.chain.url(), id, Behaviour::Forwards);
    smart.edge.installation.stop();
    smart
        .edge
        .installation
        .set_variable("rpc_urls", &json!({ "1001": [server.url()] }).to_string());
    smart.edge.installation.up();

    let unavailable = refused(503, "chain-unavailable");
    for behaviour in behaviours {
        server.becomes(behaviour);
        let n_before = server.n_requests();
        let message = smart.message(&wallet.address, id);
        let signature = smart.signed(&message);
        assert_eq!(smart.verify(&message, &signature).problem(), unavailable, "{behaviour:?}");
        assert_ne!(server.n_requests(), n_before, "{behaviour:?}: it was not asked");
        // A key needs no chain.
        let own = smart.message(&smart.owner.address, id);
        let n_before = server.n_requests();
        assert_eq!(smart.verify(&own, &smart.signed(&own)).status, 200, "{behaviour:?}");
        assert_eq!(server.n_requests(), n_before, "{behaviour:?}");

        // What a signature met is not held against the node: it is asked again at once.
        server.becomes(Behaviour::Forwards);
        assert_eq!(smart.verify(&message, &signature).status, 200, "{behaviour:?}");
        let again = smart.verify(&message, &signature).problem();
        assert_eq!(again, refused(401, "nonce-used"), "{behaviour:?}");
    }
    let elsewhere = smart.message(&wallet.address, 1);
    let answer = smart.verify(&elsewhere, &smart.signed(&elsewhere));
    assert_eq!(answer.problem(), refused(401, "bad-signature"), "a chain that nobody can ask");
}
