//! Where OpenTelemetry's traces come in.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;

use crate::bad_server::{BadServer, Received};

/// Takes what is sent by OTLP over HTTP, and keeps it until it is dropped.
pub struct TraceReceiver {
    server: BadServer,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A span as it came.
#[derive(Clone, Debug)]
pub struct ReceivedSpan {
    /// Which service it is of.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether it is marked as an error.
    pub is_error: bool,
    /// The names of its events.
    pub events: Vec<String>,
}

impl TraceReceiver {
    /// One that takes everything.
    #[must_use]
    pub fn start() -> Self {
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let keep = Arc::clone(&received);
        let server = BadServer::start(move |mut stream, request| {
            keep.lock().unwrap().push(request.clone());
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        });
        Self { server, received }
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.server.origin()
    }

    /// What came, as it came.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The spans that came.
    #[must_use]
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.received().iter().flat_map(|it| spans(&it.body)).collect()
    }
}

fn spans(body: &[u8]) -> Vec<ReceivedSpan> {
    let request = ExportTraceServiceRequest::decode(body).expect("it is OTLP");
    let mut all = Vec::new();
    for of_resource in request.resource_spans {
        let resource = attributes(&of_resource.resource.unwrap().attributes);
        for span in of_resource.scope_spans.into_iter().flat_map(|it| it.spans) {
            all.push(ReceivedSpan {
                service: resource["service.name"].clone(),
                name: span.name,
                attributes: attributes(&span.attributes),
                is_error: span.status.is_some_and(|it| it.code == 2),
                events: span.events.into_iter().map(|it| it.name).collect(),
            });
        }
    }
    all
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let value = |it: &KeyValue| match it.value.clone().and_then(|it| it.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    pairs.iter().map(|it| (it.key.clone(), value(it))).collect()
}
