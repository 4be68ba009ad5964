//! What a middleware that does not inherit something is answered when it asks for it.
//!
//! The answers are those of Spin's deny adapter: access denied for stores and databases, an
//! undefined variable, a refused request, an empty environment. What can only be reached through a
//! resource that is never handed out traps.
//!
//! Source: Spin's `crates/capabilities/deny-adapter`.

use wasmtime::{
    Engine,
    component::{
        Component, Linker, Resource, ResourceAny, ResourceType, Val, types::ComponentItem,
    },
};

use wasmtime_wasi_http::{RequestOptions, p2, p3};

use super::HostState;
use crate::compose::DENIED_PREFIX;

/// A resource that no guest ever holds.
struct Never;

/// Answers every import of `component` that was renamed because a middleware does not inherit it.
///
/// # Errors
/// If an import cannot be defined, which is so only when it is there twice.
pub(crate) fn add_to_linker(
    linker: &mut Linker<HostState>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, item) in component.component_type().imports(engine) {
        let (Some(interface), ComponentItem::ComponentInstance(instance)) =
            (name.strip_prefix(DENIED_PREFIX), item.ty)
        else {
            continue;
        };
        let mut linked = linker.instance(name)?;
        for (function, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(ty) => {
                    let refusal =
                        Refusal { interface: interface.into(), function: function.into() };
                    if ty.async_() {
                        linked.func_new_concurrent(
                            function,
                            move |accessor, _, args, results| {
                                let answer = accessor.with(|it| refusal.respond(it, args, results));
                                Box::pin(std::future::ready(answer))
                            },
                        )?;
                    } else {
                        linked.func_new(function, move |store, _, args, results| {
                            refusal.respond(store, args, results)
                        })?;
                    }
                }
                ComponentItem::Resource(_) => {
                    linked.resource(function, resource(interface, function), |_, _| Ok(()))?;
                }
                _ => (),
            }
        }
    }
    Ok(())
}

/// What stands for a resource: the host's own for those that the interface has from
/// `wasi:http/types`, and otherwise one that does not exist.
fn resource(interface: &str, name: &str) -> ResourceType {
    match (interface.split_once('@').map_or(interface, |(it, _)| it), name) {
        ("wasi:http/client", "request") => ResourceType::host::<p3::Request>(),
        ("wasi:http/client", "response") => ResourceType::host::<p3::Response>(),
        ("wasi:http/outgoing-handler", "outgoing-request") => {
            ResourceType::host::<p2::types::HostOutgoingRequest>()
        }
        ("wasi:http/outgoing-handler", "request-options") => ResourceType::host::<RequestOptions>(),
        ("wasi:http/outgoing-handler", "future-incoming-response") => {
            ResourceType::host::<p2::types::HostFutureIncomingResponse>()
        }
        _ => ResourceType::host::<Never>(),
    }
}

/// The answer of one function.
struct Refusal {
    interface: String,
    function: String,
}

impl Refusal {
    /// Gives the answer, and back what the guest handed over.
    fn respond(
        &self,
        mut store: impl wasmtime::AsContextMut<Data = HostState>,
        args: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let answer = self.answer(args).ok_or_else(|| {
            wasmtime::format_err!("{} {} has nothing to act on", self.interface, self.function)
        })?;
        for arg in args {
            take_back(&mut store, arg)?;
        }
        results[0] = answer;
        Ok(())
    }

    /// `None` is a trap.
    fn answer(&self, args: &[Val]) -> Option<Val> {
        let (interface, _) = self.interface.split_once('@')?;
        let refused = |name: &str, payload| {
            let error = Val::Variant(name.to_owned(), payload);
            Some(Val::Result(Err(Some(Box::new(error)))))
        };
        match (interface, &*self.function) {
            ("spin:key-value/key-value", "[static]store.open")
            | ("wasi:keyvalue/store", "open")
            | ("spin:sqlite/sqlite", "[static]connection.open" | "[static]connection.open-async") => {
                refused("access-denied", None)
            }
            ("spin:variables/variables" | "fermyon:spin/variables", "get") => {
                refused("undefined", args.first().cloned().map(Box::new))
            }
            ("wasi:http/client", "send") | ("wasi:http/outgoing-handler", "handle") => {
                let reason = Val::String(format!("{interface:?} is not permitted"));
                let reason = Val::Option(Some(Box::new(reason)));
                refused("internal-error", Some(Box::new(reason)))
            }
            ("wasi:cli/environment", "get-environment" | "get-arguments") => {
                Some(Val::List(Vec::new()))
            }
            ("wasi:cli/environment", _) => Some(Val::Option(None)),
            _ => None,
        }
    }
}

/// Removes what the guest handed over with its request, as nobody else will.
fn take_back(
    store: impl wasmtime::AsContextMut<Data = HostState>,
    arg: &Val,
) -> wasmtime::Result<()> {
    fn remove<T: Send + 'static>(
        mut store: impl wasmtime::AsContextMut<Data = HostState>,
        resource: ResourceAny,
    ) -> wasmtime::Result<()> {
        let resource: Resource<T> = resource.try_into_resource(&mut store)?;
        store.as_context_mut().data_mut().table.delete(resource)?;
        Ok(())
    }

    match arg {
        Val::Option(Some(arg)) => take_back(store, arg),
        Val::Resource(it) if it.ty() == ResourceType::host::<p3::Request>() => {
            remove::<p3::Request>(store, *it)
        }
        Val::Resource(it) if it.ty() == ResourceType::host::<p2::types::HostOutgoingRequest>() => {
            remove::<p2::types::HostOutgoingRequest>(store, *it)
        }
        Val::Resource(it) if it.ty() == ResourceType::host::<RequestOptions>() => {
            remove::<RequestOptions>(store, *it)
        }
        _ => Ok(()),
    }
}
