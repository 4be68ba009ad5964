//! What a component may call, as wasmtime sees it.

pub(crate) mod denied;
mod key_value;
pub(crate) mod outbound;
mod output;
mod sqlite;
mod state;
mod variables;

pub(crate) use state::{Grants, HostState};

use wasmtime::component::{HasData, Linker};

/// Bindings to the WIT texts in `wit/`.
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "spaceport:edge/imports",
        imports: {
            "spin:sqlite/sqlite.[method]connection.execute": async | trappable,
            default: trappable,
        },
        with: {
            "spin:key-value/key-value.store": crate::store::key_value::KeyValueStore,
            "spin:sqlite/sqlite.connection": crate::host::sqlite::GuestConnection,
            "wasi:keyvalue/store.bucket": crate::store::key_value::KeyValueStore,
        },
    });
}

/// Bindings to what a cron component exports.
pub(crate) mod cron_bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "spaceport:edge/cron",
        exports: { default: async },
    });
}

/// How the bindings reach the [`HostState`].
pub(crate) struct Host;

impl HasData for Host {
    type Data<'a> = &'a mut HostState;
}

/// The interfaces that a component may import, without versions. A package ends with `/`.
///
/// `wasi:filesystem` and `wasi:sockets` are here because the standard library imports them; there is
/// nothing behind them: no file, no directory, no socket.
const OFFERED: [&str; 16] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/types",
    "wasi:http/client",
    "wasi:http/outgoing-handler",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "wasi:keyvalue/store",
    "wasi:keyvalue/atomics",
    "spin:key-value/key-value",
    "spin:sqlite/sqlite",
    "spin:variables/variables",
    "fermyon:spin/variables",
    "fermyon:spin-cron/cron-types",
];

/// Whether a component may import `import`. Whether the version and the types fit shows when it is
/// linked.
pub(crate) fn is_offered(import: &str) -> bool {
    let interface = import.split_once('@').map_or(import, |(it, _)| it);
    OFFERED.iter().any(
        |it| {
            if it.ends_with('/') { interface.starts_with(it) } else { interface == *it }
        },
    )
}

/// Everything in [`OFFERED`].
///
/// # Errors
/// If two of them have one name, which they don't.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::Imports::add_to_linker::<_, Host>(&mut linker, |state| state)?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered() {
        let rows = [
            ("wasi:cli/environment@0.2.6", true),
            ("wasi:http/client@0.3.0", true),
            ("wasi:http/handler@0.3.0", false),
            ("wasi:keyvalue/atomics@0.2.0-draft2", true),
            ("wasi:keyvalue/batch@0.2.0-draft2", false),
            ("wasi:config/store@0.2.0-draft-2024-09-27", false),
            ("spin:redis/redis@3.0.0", false),
            ("fermyon:spin/variables@2.0.0", true),
            ("fermyon:spin/llm@2.0.0", false),
            ("clifford", false),
        ];
        for (import, want) in rows {
            assert_eq!(is_offered(import), want, "{import}");
        }
    }
}
