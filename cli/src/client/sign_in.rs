//! Signing in with a wallet, and remembering it until it ends.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use domain::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use siwe::{Fields, Message};
use time::OffsetDateTime;

use super::{Api, ApiError, EdgeUrl, WalletFile, wallet::wallet_of};
use crate::{clock, files};

/// The chain that sessions are bound to: Base.
const CHAIN_ID: u64 = 8453;

/// A session that ends sooner than this is as good as ended.
const TIME_LEFT_MIN_SECONDS: i64 = 60;

/// A session of a wallet at an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedSession {
    token: String,
    expires_at: Timestamp,
}

/// The sessions of a wallet by edge, in a file beside its key.
pub(super) struct Sessions {
    path: PathBuf,
    by_edge: BTreeMap<String, SavedSession>,
}

impl Sessions {
    /// The sessions of this wallet. A file that cannot be read is as good as none: sign in again.
    pub(super) fn of(wallet: &WalletFile) -> Self {
        let mut name = wallet.path().as_os_str().to_owned();
        name.push(".sessions.json");
        let path = PathBuf::from(name);
        let saved = files::read(&path).ok().flatten().unwrap_or_default();
        Self { path, by_edge: serde_json::from_str(&saved).unwrap_or_default() }
    }

    /// The token for `edge`, if it is still good for a while.
    pub(super) fn token(&self, edge: &EdgeUrl) -> Option<String> {
        let session = self.by_edge.get(&edge.to_string())?;
        let is_good = clock::now().unix_s() + TIME_LEFT_MIN_SECONDS < session.expires_at.unix_s();
        is_good.then(|| session.token.clone())
    }

    fn keep(mut self, edge: &EdgeUrl, session: SavedSession) -> anyhow::Result<()> {
        self.by_edge.insert(edge.to_string(), session);
        let now = clock::now();
        self.by_edge.retain(|_, it| now < it.expires_at);
        let text = serde_json::to_string(&self.by_edge)?;
        files::write(&self.path, &text)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[derive(Deserialize)]
struct Nonce {
    nonce: String,
}

/// Signs in and keeps the session. The answer is its token.
///
/// # Errors
/// If the edge does not let the wallet in.
pub(super) async fn sign_in(api: &Api, wallet: &WalletFile) -> Result<String, ApiError> {
    let key = wallet.key()?;
    let nonce = api.answer(|| api.anonymous(Method::GET, "/v1/auth/nonce")).await?;
    let Nonce { nonce } = api.read(nonce).await?;
    let message = message(api.edge(), wallet_of(&key), nonce, clock::now())?.to_string();
    let signature = siwe::sign(&message, &key);
    let proof = json!({ "message": message, "signature": signature });
    let verified = || api.anonymous(Method::POST, "/v1/auth/verify").json(&proof);
    let session: SavedSession = api.read(api.answer(verified).await?).await?;
    let token = session.token.clone();
    Sessions::of(wallet).keep(api.edge(), session)?;
    Ok(token)
}

/// What a wallet signs to enter `edge`.
fn message(
    edge: &EdgeUrl,
    wallet: domain::Wallet,
    nonce: String,
    now: Timestamp,
) -> anyhow::Result<Message> {
    let fields = Fields {
        scheme: None,
        domain: edge.authority().to_owned(),
        address: wallet.address(),
        statement: Some("Sign in to Spaceport.".to_owned()),
        uri: edge.to_string(),
        chain_id: CHAIN_ID,
        nonce,
        issued_at: OffsetDateTime::from_unix_timestamp(now.unix_s())?,
        expiration_time: None,
        not_before: None,
        request_id: None,
        resources: Vec::new(),
    };
    Message::new(fields).context("the edge's address or nonce cannot be signed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_message_names_the_edge_that_is_asked() {
        let edge = "http://127.0.0.1:3000".parse().unwrap();
        let wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let now = Timestamp::from_unix_ms(1_795_000_000_123);
        let got = message(&edge, wallet, "a1b2c3d4".to_owned(), now).unwrap().to_string();
        let want = "127.0.0.1:3000 wants you to sign in with your Ethereum account:\n\
            0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\nSign in to Spaceport.\n\n\
            URI: http://127.0.0.1:3000\nVersion: 1\nChain ID: 8453\nNonce: a1b2c3d4\n\
            Issued At: 2026-11-18T11:06:40Z";
        assert_eq!(got, want);
    }

    #[test]
    fn a_session_is_used_until_shortly_before_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let wallet = WalletFile::at(Some(folder.path().join("wallet.key"))).unwrap();
        let edge: EdgeUrl = "http://127.0.0.1:3000".parse().unwrap();
        let other: EdgeUrl = "http://127.0.0.1:3001".parse().unwrap();
        assert_eq!(Sessions::of(&wallet).token(&edge), None);
        #[rustfmt::skip]
        let rows = [
            (TIME_LEFT_MIN_SECONDS + 30, Some("token")),
            (TIME_LEFT_MIN_SECONDS - 30, None),
            (-1,                         None),
        ];
        for (seconds_left, want) in rows {
            let expires_at = Timestamp::from_unix_ms(clock::now().unix_ms() + seconds_left * 1000);
            let session = SavedSession { token: "token".to_owned(), expires_at };
            Sessions::of(&wallet).keep(&edge, session).unwrap();
            assert_eq!(Sessions::of(&wallet).token(&edge).as_deref(), want, "{seconds_left}");
            assert_eq!(Sessions::of(&wallet).token(&other), None);
        }
        fs::write(folder.path().join("wallet.key.sessions.json"), "{").unwrap();
        assert_eq!(Sessions::of(&wallet).token(&edge), None);
    }
}
