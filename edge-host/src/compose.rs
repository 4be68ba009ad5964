//! Puts a component behind its middleware, and keeps from each middleware what it does not inherit.
//!
//! As in Spin, the chain becomes one component by `wac-graph`: each middleware's import of
//! `wasi:http/handler` is the next one's export. What a middleware does not inherit is renamed in its
//! own binary, from `spin:variables/variables@3.0.0` to `denied-spin:variables/variables@3.0.0`,
//! before it is put together: the composed component then imports both, and the host answers the
//! renamed one with refusals ([`crate::host::denied`]). Nothing about the types changes, because
//! inside a component imports are numbers and the name is only where they come from.
//!
//! Source: Spin's `crates/trigger-http/src/middleware.rs` and `crates/capabilities`.

use std::collections::BTreeSet;

use wac_graph::{CompositionGraph, EncodeOptions, types::Package};
use wasm_encoder::{
    ComponentImportSection,
    reencode::{Error as ReencodeError, Reencode, ReencodeComponent, component_utils},
};
use wasmparser::{ComponentImportSectionReader, Parser};

use crate::manifest::Capability;

/// What every link of a chain exports, and all but the last import.
pub(crate) const HANDLER: &str = "wasi:http/handler@0.3.0";

/// What the name of an import that is refused begins with.
pub(crate) const DENIED_PREFIX: &str = "denied-";

/// Why a chain could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A component's binary could not be read.
    #[error("{0} is not a WebAssembly component")]
    Binary(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A component of the chain does not export the handler, or a middleware does not import it.
    #[error("{component} does not {verb} {HANDLER}")]
    NotALink {
        /// The component.
        component: String,
        /// `import` or `export`.
        verb: &'static str,
    },
    /// The components do not fit each other.
    #[error("the components do not fit each other")]
    Fit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A component's name and binary.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) wasm: &'a [u8],
}

/// The chain of `middleware`, outermost first, before `primary`, as one component.
///
/// # Errors
/// [`ComposeError`], which names the component that does not fit.
pub(crate) fn chain(
    middleware: &[(Part<'_>, &BTreeSet<Capability>)],
    primary: &Part<'_>,
) -> Result<Vec<u8>, ComposeError> {
    let mut graph = CompositionGraph::new();
    let mut inner = link(&mut graph, primary.name, primary.wasm.to_vec(), 0, None)?;
    for (depth, (part, inherits)) in middleware.iter().rev().enumerate() {
        let wasm = deny(part, inherits)?;
        inner = link(&mut graph, part.name, wasm, depth + 1, Some(inner))?;
    }
    graph.export(inner, HANDLER).map_err(|it| ComposeError::Fit(it.into()))?;
    graph.encode(EncodeOptions::default()).map_err(|it| ComposeError::Fit(it.into()))
}

/// Adds one link before `next`, and returns its handler.
fn link(
    graph: &mut CompositionGraph,
    name: &str,
    wasm: Vec<u8>,
    depth: usize,
    next: Option<wac_graph::NodeId>,
) -> Result<wac_graph::NodeId, ComposeError> {
    let not_a_link = |verb| ComposeError::NotALink { component: name.to_owned(), verb };

    // One component may be in a chain twice, and packages have names of their own.
    let package = Package::from_bytes(&format!("link{depth}"), None, wasm, graph.types_mut())
        .map_err(|it| ComposeError::Binary(name.to_owned(), it.into()))?;
    let package = graph.register_package(package).map_err(|it| ComposeError::Fit(it.into()))?;
    let world = &graph.types()[graph[package].ty()];
    if !world.exports.contains_key(HANDLER) {
        return Err(not_a_link("export"));
    }
    if next.is_some() && !world.imports.contains_key(HANDLER) {
        return Err(not_a_link("import"));
    }
    let instance = graph.instantiate(package);
    if let Some(next) = next {
        graph
            .set_instantiation_argument(instance, HANDLER, next)
            .map_err(|it| ComposeError::Fit(it.into()))?;
    }
    graph.alias_instance_export(instance, HANDLER).map_err(|it| ComposeError::Fit(it.into()))
}

/// Renames the imports of `part` that are not among what it `inherits`.
fn deny(part: &Part<'_>, inherits: &BTreeSet<Capability>) -> Result<Vec<u8>, ComposeError> {
    let mut component = wasm_encoder::Component::new();
    Deny { inherits, depth: 0 }
        .parse_component(&mut component, Parser::new(0), part.wasm)
        .map_err(|it| ComposeError::Binary(part.name.to_owned(), it.to_string().into()))?;
    Ok(component.finish())
}

/// The capability that `import` belongs to, if any. Versions of one interface belong together.
fn capability(import: &str) -> Option<Capability> {
    let (interface, _) = import.split_once('@')?;
    match interface {
        "wasi:http/client" | "wasi:http/outgoing-handler" => Some(Capability::AllowedOutboundHosts),
        "wasi:cli/environment" => Some(Capability::Environment),
        "spin:key-value/key-value" | "wasi:keyvalue/store" | "wasi:keyvalue/atomics" => {
            Some(Capability::KeyValueStores)
        }
        "spin:sqlite/sqlite" => Some(Capability::SqliteDatabases),
        "spin:variables/variables" | "fermyon:spin/variables" => Some(Capability::Variables),
        _ => None,
    }
}

struct Deny<'a> {
    inherits: &'a BTreeSet<Capability>,
    /// Components within components have imports too. Only those of the outermost are the host's.
    depth: u32,
}

impl Reencode for Deny<'_> {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Deny<'_> {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: ComponentImportSectionReader<'_>,
    ) -> Result<(), ReencodeError<Self::Error>> {
        if self.depth != 0 {
            return component_utils::parse_component_import_section(self, imports, section);
        }
        for import in section {
            let import = import?;
            let ty = self.component_type_ref(import.ty)?;
            let name = import.name.name;
            match capability(name) {
                Some(capability) if !self.inherits.contains(&capability) => {
                    imports.import(&*format!("{DENIED_PREFIX}{name}"), ty);
                }
                _ => {
                    imports.import(import.name, ty);
                }
            }
        }
        Ok(())
    }
}
