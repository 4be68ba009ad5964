//! The runtime that all components share: compiler, pools, cache of compiled code, clock ticks.

use std::path::Path;

use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::limits::{EPOCH_TICK, INSTANCES_MAX, MEMORY_BYTES_MAX};

/// Sets the runtime up, with compiled code kept in `cache_dir`.
///
/// # Errors
/// If the cache directory or the pools are not to be had.
pub(crate) fn engine(cache_dir: &Path) -> wasmtime::Result<Engine> {
    let mut cache = CacheConfig::new();
    cache.with_directory(cache_dir);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pools()))
        .cache(Some(Cache::new(cache)?));
    let engine = Engine::new(&config)?;
    tick(&engine);
    Ok(engine)
}

/// Pools reserve addresses, not memory. What counts is what freed slots keep: enough for the next
/// instance not to fault its pages in again, in few slots.
fn pools() -> PoolingAllocationConfig {
    // A component is three modules (itself and two that `wit-component` adds), and a chain is
    // several components.
    const MODULES: u32 = 4;

    let mut pools = PoolingAllocationConfig::new();
    pools
        .total_component_instances(INSTANCES_MAX)
        .total_core_instances(INSTANCES_MAX * MODULES)
        .total_memories(INSTANCES_MAX * 2)
        .total_tables(INSTANCES_MAX * MODULES)
        .total_stacks(INSTANCES_MAX * 2)
        .max_core_instances_per_component(64)
        .max_memories_per_component(16)
        .max_tables_per_component(64)
        .max_memory_size(MEMORY_BYTES_MAX)
        .max_unused_warm_slots(8)
        .linear_memory_keep_resident(2 * 1024 * 1024)
        .table_keep_resident(16 * 1024)
        .decommit_batch_size(16);
    pools
}

/// Interrupts running components every [`EPOCH_TICK`], until the engine is gone.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("edge-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(EPOCH_TICK);
            }
        })
        .expect("a thread can be started, as the runtime has started its own");
}
