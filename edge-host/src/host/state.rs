//! What belongs to one instance: its grants, its limits, its tables.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{outbound::Outbound, output::Output};
use crate::{
    limits::{CPU_TIME_MAX, EPOCH_TICK, MEMORY_BYTES_MAX},
    store::{key_value::KeyValueStore, sqlite::Database},
};

/// What the manifest grants a component. The same for all its instances.
pub(crate) struct Grants {
    pub(crate) component: Arc<str>,
    /// Values, with templates expanded.
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) key_value_stores: BTreeMap<String, KeyValueStore>,
    pub(crate) sqlite_databases: BTreeMap<String, Arc<Database>>,
    pub(crate) outbound: Outbound,
}

/// The state of one instance.
pub(crate) struct HostState {
    pub(crate) grants: Arc<Grants>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    limits: StoreLimits,
    /// Ticks in which the guest was computing, since a request last started here.
    busy_ticks: u128,
    overran: Arc<AtomicBool>,
}

/// Why the guest was stopped.
#[derive(Debug, thiserror::Error)]
#[error("computed for more than {} s", CPU_TIME_MAX.as_secs())]
pub(crate) struct Overran;

impl HostState {
    /// A store for one instance, with all limits set.
    pub(crate) fn store(engine: &wasmtime::Engine, grants: &Arc<Grants>) -> Store<Self> {
        let wasi = WasiCtx::builder()
            .envs(&grants.environment)
            .stdout(Output::stdout(&grants.component))
            .stderr(Output::stderr(&grants.component))
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        let state = Self {
            grants: Arc::clone(grants),
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            outbound: grants.outbound.clone(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).build(),
            busy_ticks: 0,
            overran: Arc::default(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| context.data_mut().tick());
        // Only ticks while it computes count, and not those while it waits for us.
        store.call_hook(|mut context, hook| {
            if hook.exiting_host() {
                context.set_epoch_deadline(1);
            }
            Ok(())
        });
        store
    }

    /// Begins the CPU time of a request, and returns what is set if it is exceeded.
    pub(crate) fn start_request(&mut self) -> Arc<AtomicBool> {
        self.busy_ticks = 0;
        Arc::clone(&self.overran)
    }

    /// The guest was found computing. It gives way to others, and goes on unless it did so for long.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.busy_ticks += 1;
        if CPU_TIME_MAX.as_millis() / EPOCH_TICK.as_millis() < self.busy_ticks {
            self.overran.store(true, Ordering::Relaxed);
            return Err(Overran.into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}
