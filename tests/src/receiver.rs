//! Where a tenant's webhooks come in.

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use serde_json::Value;

use crate::bad_server::{BadServer, Received};

/// Takes webhooks and keeps them, until it is dropped.
pub struct Receiver {
    server: BadServer,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// One that takes everything.
    #[must_use]
    pub fn start() -> Self {
        let (status, received) = (Arc::new(AtomicU16::new(204)), Arc::<Mutex<Vec<_>>>::default());
        let (answer, keep) = (Arc::clone(&status), Arc::clone(&received));
        let server = BadServer::start(move |mut stream, request| {
            keep.lock().unwrap().push(request.clone());
            let status = answer.load(Ordering::SeqCst);
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        });
        Self { server, status, received }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/hook?for=me", self.server.origin())
    }

    /// Answers with `status` from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What came, each as often as it came.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What each of those that came is about.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let kind = |it: &Received| {
            let body: Value = serde_json::from_slice(&it.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        };
        self.received().iter().map(kind).collect()
    }
}
