//! Sign-in of wallets that are contracts, as far as it does not need a chain that runs.

use evm::{Reply, SendError};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestWallet};

const DOMAIN: &str = "127.0.0.1:3000";

/// A node of chain 1 that answers every call so.
fn node(
    result: &'static str,
) -> impl FnMut(&str, &str) -> Result<Reply, SendError> + Send + 'static {
    move |_, body| {
        let requests: Vec<Value> = serde_json::from_str(body).unwrap();
        let answer = |it: &Value| {
            let result = if it["method"] == "eth_chainId" { "0x1" } else { result };
            json!({ "jsonrpc": "2.0", "id": it["id"], "result": result })
        };
        let answers: Vec<_> = requests.iter().map(answer).collect();
        Ok(Reply { status: 200, body: json!(answers).to_string().into_bytes() })
    }
}

async fn verify(client: &Client, message: &str, signature: &str) -> Answer {
    let body = json!({ "message": message, "signature": signature });
    client.post("/v1/auth/verify", None, body).await
}

const YES: &str = "0x0000000000000000000000000000000000000000000000000000000000000001";
const NO: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

#[tokio::test]
async fn the_contract_at_the_address_has_the_last_word() {
    let client = Client::with(&[("rpc_urls", r#"{"1":["http://127.0.0.1:1"]}"#)]);
    let wallet = TestWallet::new(1);
    let now = evm::Network::now(&**client.platform());
    let message = wallet.message(DOMAIN, &client.nonce().await, now).to_string();
    let by_owner = TestWallet::new(2).sign(&message);

    let unavailable = verify(&client, &message, &by_owner).await;
    assert_eq!(unavailable.problem(), (503, "chain-unavailable"));
    assert_eq!(unavailable.headers["retry-after"], "5");
    client.platform().set_node(node(NO));
    for signature in [&*by_owner, "0x", "0x1234", &format!("0x{}", "11".repeat(200))] {
        let refused = verify(&client, &message, signature).await;
        assert_eq!(refused.problem(), (401, "bad-signature"), "{signature}");
    }
    client.platform().set_node(node(YES));
    for signature in ["", "nonsense", "1234", "0xzz"] {
        let refused = verify(&client, &message, signature).await;
        assert_eq!(refused.problem(), (401, "bad-signature"), "{signature}");
    }
    let signed_in = verify(&client, &message, &by_owner).await;
    assert_eq!(signed_in.status, 200, "none of that used the nonce up");
    assert_eq!(signed_in.text("address"), wallet.wallet.to_string());
    assert_eq!(verify(&client, &message, &by_owner).await.problem(), (401, "nonce-used"));
}

#[tokio::test]
async fn a_key_pair_needs_no_chain_and_another_chain_is_not_asked() {
    let client = Client::with(&[("rpc_urls", r#"{"10":["http://127.0.0.1:1"]}"#)]);
    let wallet = TestWallet::new(1);
    client.platform().set_node(|_, _| panic!("nobody is to be asked"));
    let now = evm::Network::now(&**client.platform());
    let message = wallet.message(DOMAIN, &client.nonce().await, now).to_string();
    let by_other = TestWallet::new(2).sign(&message);
    assert_eq!(verify(&client, &message, &by_other).await.problem(), (401, "bad-signature"));
    assert_eq!(verify(&client, &message, &wallet.sign(&message)).await.status, 200);
}

/// A contract's address is one party's on one chain only.
#[tokio::test]
async fn contracts_are_asked_on_one_chain_only() {
    let two = ("rpc_urls", r#"{"1":["http://127.0.0.1:1"],"10":["http://127.0.0.1:2"]}"#);
    #[rustfmt::skip]
    let rows = [
        (vec![two],                                      401),
        (vec![two, ("contract_wallet_chain_id", "10")],  401),
        (vec![two, ("contract_wallet_chain_id", "1")],   200),
    ];
    for (variables, want) in rows {
        let client = Client::with(&variables);
        client.platform().set_node(node(YES));
        let now = evm::Network::now(&**client.platform());
        let message = TestWallet::new(1).message(DOMAIN, &client.nonce().await, now).to_string();
        let answer = verify(&client, &message, &TestWallet::new(2).sign(&message)).await;
        assert_eq!(answer.status, want, "{variables:?}");
    }
}

#[tokio::test]
async fn only_the_chains_of_the_list_are_for_sessions() {
    let wallet = TestWallet::new(1);
    for (chains, want) in [("10, 8453", 401), ("10 1", 200), ("", 200)] {
        let client = Client::with(&[("siwe_chain_ids", chains)]);
        let now = evm::Network::now(&**client.platform());
        let message = wallet.message(DOMAIN, &client.nonce().await, now).to_string();
        let answer = verify(&client, &message, &wallet.sign(&message)).await;
        assert_eq!(answer.status, want, "{chains}");
        if want == 401 {
            assert_eq!(answer.problem(), (401, "chain-not-allowed"));
        }
    }
}
