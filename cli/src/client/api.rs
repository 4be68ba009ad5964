//! Requests to an edge and what it answers.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use domain::Money;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::RwLock;
use url::Url;

use super::{
    ClientArgs, EdgeUrl, WalletFile,
    edge_url::{is_localhost, is_loopback},
    sign_in::{self, Sessions},
};
use crate::environment;

/// How long a server may take to accept a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How often a request is sent again that the edge did not take, and the longest wait before that.
const TRIES_MAX: u32 = 5;
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Why there is no answer to build on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Nobody answers.
    #[error("no edge answers at {edge}: is it running, and is --edge right?")]
    Unreachable {
        /// Where the edge should be.
        edge: EdgeUrl,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The edge says no.
    #[error("{detail}")]
    Refused {
        /// The kind of answer.
        status: StatusCode,
        /// The problem's stable code; empty if the answer was no problem document.
        code: String,
        /// What is wrong and what to do about it.
        detail: String,
        /// After which time to try again, if the request came too early.
        retry_after: Option<Duration>,
    },
    /// What came is not what the contract says.
    #[error("{edge} answers, but not as an edge does")]
    Garbled {
        /// Where the edge should be.
        edge: EdgeUrl,
        /// What was not understood.
        #[source]
        source: reqwest::Error,
    },
    /// There is no way to say who asks.
    #[error(transparent)]
    NoCredential(#[from] anyhow::Error),
}

/// The part of a problem document that matters here. Source: RFC 9457.
#[derive(Deserialize)]
struct Problem {
    detail: Option<String>,
    code: Option<String>,
}

/// The part of a bill that matters here. Source: x402, version 1.
#[derive(Deserialize)]
struct Bill {
    accepts: Vec<Offer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    max_amount_required: String,
}

/// What proves who asks.
enum Credential {
    /// Given from outside.
    Token(String),
    /// A wallet, and the session it signed in to, which may end.
    Wallet { file: WalletFile, token: RwLock<String> },
}

/// An edge, and as whom to speak to it.
pub(crate) struct Api {
    edge: EdgeUrl,
    http: reqwest::Client,
    credential: Credential,
}

impl Api {
    /// Speaks as the bearer of `token`.
    ///
    /// # Errors
    /// If there is no way to send requests.
    pub(crate) fn with_token(edge: EdgeUrl, token: String) -> anyhow::Result<Self> {
        let http = http_client(&Url::parse(&edge.at("/"))?)?;
        Ok(Self { edge, http, credential: Credential::Token(token) })
    }

    /// Speaks as who the arguments and the environment say, signed in.
    ///
    /// # Errors
    /// If the edge does not let them sign in.
    pub(crate) async fn connect(args: &ClientArgs) -> Result<Self, ApiError> {
        if let Some(token) = environment::token() {
            return Ok(Self::with_token(args.edge.clone(), token)?);
        }
        let wallet = WalletFile::at(args.wallet.clone())?;
        Self::with_wallet(args.edge.clone(), wallet).await
    }

    /// Speaks as this wallet: in the session of last time, or in a new one.
    ///
    /// # Errors
    /// If the edge does not let it sign in.
    pub(crate) async fn with_wallet(edge: EdgeUrl, file: WalletFile) -> Result<Self, ApiError> {
        let mut api = Self::with_token(edge, String::new())?;
        let token = match Sessions::of(&file).token(&api.edge) {
            Some(token) => token,
            None => sign_in::sign_in(&api, &file).await?,
        };
        api.credential = Credential::Wallet { file, token: RwLock::new(token) };
        Ok(api)
    }

    /// Where the edge is.
    pub(crate) const fn edge(&self) -> &EdgeUrl {
        &self.edge
    }

    /// Reads what is at `path`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(self.send(Method::GET, path, None).await?).await
    }

    /// Reads the page that is at `path`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn get_html(&self, path: &str) -> Result<String, ApiError> {
        let answer = self.send_for(Method::GET, path, None, "text/html").await?;
        answer.text().await.map_err(|source| ApiError::Garbled { edge: self.edge.clone(), source })
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`ApiError::Garbled`].
    pub(crate) async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, ApiError> {
        answer.json().await.map_err(|source| ApiError::Garbled { edge: self.edge.clone(), source })
    }

    /// Sends a request. Signs in anew if the session has ended, and waits if it came too early.
    ///
    /// # Errors
    /// [`ApiError`]. A redirection is an answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, ApiError> {
        self.send_for(method, path, body, "application/json").await
    }

    async fn send_for(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        accept: &str,
    ) -> Result<Response, ApiError> {
        let request = |token: &str| {
            let request = self.http.request(method.clone(), self.edge.at(path)).bearer_auth(token);
            let request = request.header(header::ACCEPT, accept);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let token = match &self.credential {
            Credential::Token(token) => token.clone(),
            Credential::Wallet { token, .. } => token.read().await.clone(),
        };
        match (self.answer(|| request(&token)).await, &self.credential) {
            (
                Err(ApiError::Refused { status: StatusCode::UNAUTHORIZED, .. }),
                Credential::Wallet { file, token },
            ) => {
                let new = sign_in::sign_in(self, file).await?;
                token.write().await.clone_from(&new);
                self.answer(|| request(&new)).await
            }
            (answer, _) => answer,
        }
    }

    /// Sends what `request` makes, which says itself who asks. If it came too early, waits as long
    /// as the edge says and sends it again, unless that is too long to sit here for.
    pub(super) async fn answer(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        for _ in 0..TRIES_MAX {
            match self.answer_once(request()).await {
                Err(ApiError::Refused { retry_after: Some(pause), .. }) if pause <= PAUSE_MAX => {
                    tokio::time::sleep(pause).await;
                }
                answer => return answer,
            }
        }
        self.answer_once(request()).await
    }

    async fn answer_once(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let answer = request.send().await;
        let answer =
            answer.map_err(|source| ApiError::Unreachable { edge: self.edge.clone(), source })?;
        if answer.status().is_client_error() || answer.status().is_server_error() {
            return Err(refused(answer).await);
        }
        Ok(answer)
    }

    /// A request that does not say who asks.
    pub(super) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.edge.at(path))
    }
}

/// A client for requests to the host of `url`. It follows no redirection: who asks is told there,
/// and not to others.
///
/// # Errors
/// If the system has no way to send requests.
pub(crate) fn http_client(url: &Url) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("spaceport/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIME_MAX);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let (Some(name), Some(port)) = (url.domain(), url.port_or_known_default())
        && is_localhost(name)
    {
        builder = builder.resolve(name, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    builder.build()
}

/// What an answer says that is no success.
async fn refused(answer: Response) -> ApiError {
    let status = answer.status();
    let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|it| it.to_str().ok());
    let retry_after = seconds
        .filter(|_| status == StatusCode::TOO_MANY_REQUESTS)
        .and_then(|it| it.parse().ok())
        .map(Duration::from_secs);
    if status == StatusCode::PAYMENT_REQUIRED {
        let bill: Option<Bill> = answer.json().await.ok();
        let micros = bill.and_then(|it| it.accepts.first()?.max_amount_required.parse().ok());
        let amount = micros.and_then(Money::from_micros);
        let amount = amount.map_or_else(|| "more".to_owned(), |it| format!("{it} USD more"));
        let detail = format!(
            "it costs {amount} than the wallet has here, and this program can't pay: use an x402 \
             client once, and what is left over pays for the next"
        );
        return ApiError::Refused { status, code: String::new(), detail, retry_after: None };
    }
    let problem: Option<Problem> = answer.json().await.ok();
    let (code, detail) = problem.map_or((None, None), |it| (it.code, it.detail));
    let detail = detail.unwrap_or_else(|| format!("the edge answers {status}"));
    ApiError::Refused { status, code: code.unwrap_or_default(), detail, retry_after }
}
