//! Asking a chain: one endpoint after the other until one gives an answer that counts.

use std::{fmt, time::Duration};

use domain::Timestamp;
use serde_json::Value;

use crate::{
    Attempt, Call, Endpoints, Failure, Limits, Network, Outcome, Reply, SendError, Unavailable,
    breaker::{Admission, Breaker},
    chain_data::At,
    endpoint::Endpoint,
    rpc::{self, Answer, BatchAnswer, Question},
};

/// How long one endpoint may take.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(2);
/// How long all of them together may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How large one answer may be.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// All chains that have endpoints.
///
/// Endpoints are asked in order of preference. One that does not give an answer that counts is
/// passed over for the next one, and after three failures in a row it is left alone for a while,
/// by all instances.
pub struct Chains<'a, N> {
    network: &'a N,
    endpoints: &'a Endpoints,
    /// When it is too late to ask, besides what one question may take.
    deadline: Option<Timestamp>,
}

impl<'a, N: Network> Chains<'a, N> {
    /// Over these endpoints.
    #[must_use]
    pub const fn new(network: &'a N, endpoints: &'a Endpoints) -> Self {
        Self { network, endpoints, deadline: None }
    }

    /// Asks nobody any more at `deadline`, however many questions there are until then.
    pub(crate) const fn until(self, deadline: Timestamp) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// What became of each of `calls`, in their order, all of them from one endpoint.
    ///
    /// An endpoint gets 2 seconds (and 2 more if it does not take several requests at once), all
    /// of them together 5, and an answer may have 256 KiB.
    ///
    /// # Errors
    /// [`Unavailable`], at once if every endpoint is left alone. It is for the log.
    pub async fn call(&self, chain_id: u64, calls: &[Call]) -> Result<Vec<Outcome>, Unavailable> {
        let questions: Vec<_> = calls.iter().map(|it| it.question(At::Newest)).collect();
        let read = |answers: Vec<_>| answers.into_iter().map(Outcome::read).collect();
        self.first_good(chain_id, &questions, Blame::Endpoint, read).await
    }

    /// What `read` makes of the answers to `questions`, in their order, all of them from one
    /// endpoint. One whose answers it refuses has failed as well. `blame` says whether breakers
    /// hear of failures.
    pub(crate) async fn first_good<T, R>(
        &self,
        chain_id: u64,
        questions: &[Question],
        blame: Blame,
        read: R,
    ) -> Result<T, Unavailable>
    where
        T: Send,
        R: Fn(Vec<Answer>) -> Result<T, Failure> + Send + Sync,
    {
        let deadline = self.network.now().plus(TIME_MAX);
        let deadline = self.deadline.map_or(deadline, |it| it.min(deadline));
        let mut attempts = Vec::new();
        for endpoint in self.endpoints.of(chain_id) {
            let conversation =
                Conversation { network: self.network, endpoint, chain_id, deadline, blame };
            match conversation.guarded(questions, &read).await {
                Ok(good) => return Ok(good),
                Err(failure) => attempts.push(Attempt::new(endpoint, failure)),
            }
        }
        Err(Unavailable { chain_id, attempts })
    }
}

impl<N> fmt::Debug for Chains<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chains").field(self.endpoints).finish()
    }
}

/// Whose fault it may be if there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The endpoint's: what is asked of it is ours.
    Endpoint,
    /// Perhaps that of whoever wrote what is to be run: a stranger must not be able to have
    /// endpoints left alone that others need.
    Nobody,
}

/// With one endpoint, about one question.
struct Conversation<'a, N> {
    network: &'a N,
    endpoint: &'a Endpoint,
    chain_id: u64,
    /// When it is too late to ask any more.
    deadline: Timestamp,
    blame: Blame,
}

impl<N: Network> Conversation<'_, N> {
    /// Asks unless the breaker is open, and tells the breaker how it went.
    ///
    /// A breaker whose store fails is as good as none: it saves time when an endpoint is down, and
    /// a store that is down must not make endpoints unavailable that are up.
    async fn guarded<T>(
        &self,
        questions: &[Question],
        read: impl Fn(Vec<Answer>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let key = Breaker::key(self.chain_id, self.endpoint);
        let value = self.network.load(&key).await.unwrap_or_default().unwrap_or_default();
        let now = self.network.now();
        let breaker = Breaker::read(&value, now);
        let admission = breaker.admission(now);
        if admission == Admission::Rest {
            return Err(Failure::Resting);
        }
        if self.deadline <= now {
            return Err(Failure::OutOfTime);
        }
        if let Admission::AskAlone(claimed) = admission {
            self.save(&key, claimed).await;
        }

        let result = self.ask(questions).await.and_then(read);
        let now = self.network.now();
        let next = match result {
            Ok(_) => breaker.after_success(now),
            Err(_) if self.blame == Blame::Nobody => None,
            Err(_) => Some(breaker.after_failure(now)),
        };
        if let Some(next) = next {
            self.save(&key, next).await;
        }
        result
    }

    async fn save(&self, key: &str, breaker: Breaker) {
        // See `guarded`.
        let _ = self.network.store(key, breaker.to_value()).await;
    }

    async fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, Failure> {
        let requests = rpc::requests(questions);
        match self.ask_at_once(&requests).await? {
            Some(answers) => {
                let mut answers = answers.into_iter();
                let first = answers.next().ok_or(Failure::Malformed("no answer"))?;
                rpc::check_chain_id(first, self.chain_id)?;
                Ok(answers.collect())
            }
            None => self.ask_singly(&requests).await,
        }
    }

    /// All in one request. `None` if the endpoint seems not to take that.
    async fn ask_at_once(&self, requests: &[Value]) -> Result<Option<Vec<Answer>>, Failure> {
        let body = Value::from(requests).to_string();
        let reply = self.post(body, self.end_of_attempt()).await?;
        match reply.status {
            200 => match rpc::read_batch(&reply.body, requests.len())? {
                BatchAnswer::Answers(answers) => Ok(Some(answers)),
                BatchAnswer::Refused => Ok(None),
            },
            429 => Err(Failure::Status(429)),
            400..500 => Ok(None),
            status => Err(Failure::Status(status)),
        }
    }

    /// One after the other, the chain id first.
    async fn ask_singly(&self, requests: &[Value]) -> Result<Vec<Answer>, Failure> {
        let end = self.end_of_attempt();
        let mut answers = Vec::new();
        for (id, request) in (1..).zip(requests) {
            let reply = self.post(request.to_string(), end).await?;
            if reply.status != 200 {
                return Err(Failure::Status(reply.status));
            }
            let answer = rpc::read_single(&reply.body, id)?;
            match id {
                1 => rpc::check_chain_id(answer, self.chain_id)?,
                _ => answers.push(answer),
            }
        }
        Ok(answers)
    }

    fn end_of_attempt(&self) -> Timestamp {
        self.network.now().plus(ATTEMPT_TIME_MAX).min(self.deadline)
    }

    async fn post(&self, body: String, end: Timestamp) -> Result<Reply, Failure> {
        let time = end.since(self.network.now());
        if time.is_zero() {
            return Err(SendError::TimedOut.into());
        }
        let limits = Limits { time, bytes: ANSWER_BYTES_MAX };
        Ok(self.network.post(self.endpoint.url(), &[], body.into_bytes(), limits).await?)
    }
}
