//! Instances that answer HTTP requests: how many requests each takes, how long it lives.
//!
//! `ProxyHandler` of `wasmtime-wasi-http` does the work, as it does in `wasmtime serve` and Spin.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use tokio::time::Sleep;
use wasmtime::{Engine, Store, StoreContextMut, component::GuestTaskId};
use wasmtime_wasi_http::{
    WasiHttpView as _,
    handler::{
        HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration,
        WorkerState, WorkerStatus,
    },
};

use crate::{
    host::{Grants, HostState},
    limits::{
        INSTANCE_CONCURRENT_REQUESTS_MAX, INSTANCE_IDLE_MAX, INSTANCE_REQUESTS_MAX,
        INSTANCE_SETTLE_TIME, REQUEST_TIME_MAX,
    },
};

/// A component, with its middleware, ready for requests.
pub(crate) type Handler = ProxyHandler<Workers>;

/// Makes instances of one component.
pub(crate) struct Workers {
    engine: Engine,
    component: ProxyPre<HostState>,
    grants: Arc<Grants>,
}

impl Workers {
    pub(crate) fn handler(
        engine: &Engine,
        component: ProxyPre<HostState>,
        grants: Arc<Grants>,
    ) -> Handler {
        ProxyHandler::new(Self { engine: engine.clone(), component, grants })
    }

    /// The component's name, for the log.
    pub(crate) fn component(&self) -> &str {
        &self.grants.component
    }
}

impl HandlerState for Workers {
    type StoreData = HostState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<HostState, Expiration, Worker>> {
        let mut store = HostState::store(&self.engine, &self.grants);
        let proxy = self.component.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: |state| state.http(),
            expiration: Expiration(Box::pin(tokio::time::sleep(INSTANCE_IDLE_MAX))),
            state: Worker {
                component: Arc::clone(&self.grants.component),
                started: Mutex::new(None),
            },
        })
    }
}

/// Ends an instance that is idle, or that holds a request for too long.
pub(crate) struct Expiration(Pin<Box<Sleep>>);

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let time_max = match status {
            WorkerStatus::Idle => INSTANCE_IDLE_MAX,
            WorkerStatus::Requests | WorkerStatus::PostReturn => REQUEST_TIME_MAX,
        };
        let deadline = tokio::time::Instant::from_std(start + time_max);
        if self.0.deadline() != deadline {
            self.0.as_mut().reset(deadline);
        }
        self.0.as_mut().poll(context)
    }
}

/// What the edge remembers of a request while an instance has it.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<OnceLock<Arc<AtomicBool>>>);

impl Ticket {
    /// Whether the instance was stopped because it computed for too long.
    pub(crate) fn overran(&self) -> bool {
        self.0.get().is_some_and(|it| it.load(Ordering::Relaxed))
    }
}

/// One instance's rules.
pub(crate) struct Worker {
    component: Arc<str>,
    /// When a request last started here.
    started: Mutex<Option<Instant>>,
}

impl Worker {
    fn started(&self) -> MutexGuard<'_, Option<Instant>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the requests that are here are waiting rather than about to compute. Whoever queues
    /// for an instance that then computes waits until it is done, so one that has just begun is not
    /// queued for: there can be another instance.
    fn is_waiting(&self) -> bool {
        self.started().is_none_or(|it| INSTANCE_SETTLE_TIME <= it.elapsed())
    }
}

impl WorkerState for Worker {
    type StoreData = HostState;
    type RequestData = Ticket;

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if INSTANCE_REQUESTS_MAX <= total_count {
            ShouldAccept::Never
        } else if concurrent_count == 0
            || (concurrent_count < INSTANCE_CONCURRENT_REQUESTS_MAX && self.is_waiting())
        {
            ShouldAccept::Yes
        } else {
            ShouldAccept::No
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, HostState>,
        ticket: Ticket,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        *self.started() = Some(Instant::now());
        let _ = ticket.0.set(store.data_mut().start_request());
        Box::pin(tokio::time::sleep(REQUEST_TIME_MAX))
    }

    fn drop(&self, store: Store<HostState>, result: Result<(), wasmtime::Error>) {
        drop(store);
        let Err(error) = result else { return };
        let component = &*self.component;
        // `ProxyHandler` takes the end of its task for a panic, also when it was only dropped because
        // the edge stops.
        if error.to_string() == "worker panicked" && !std::thread::panicking() {
            tracing::debug!(component, "instance was dropped");
        } else {
            tracing::error!(component, "instance failed: {error:#}");
        }
    }
}
