//! Who may come in: the policy, and for which requests it is asked.

use evm::Endpoints;
use gate::Policy;
use http::Method;

use super::values::{ConfigError, flag, list, wrong};

/// The gate, as the operator configured it.
#[derive(Clone, Debug)]
pub struct GateConfig {
    /// What is asked for. Nothing while the gate is off.
    pub(crate) policy: Option<Policy>,
    /// The requests that the middleware is for; all if there are none.
    pub(crate) methods: Vec<Method>,
    /// Who answers a request that may not pass.
    pub(crate) refusal_by: RefusalBy,
}

/// Who answers a request that may not pass the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalBy {
    /// The middleware: what is behind it needs to know nothing of gates.
    Middleware,
    /// The handler, which is told the verdict and must not go on without one.
    Handler,
}

impl GateConfig {
    pub(super) fn parse(
        get: impl Fn(&str) -> Option<String>,
        endpoints: &Endpoints,
    ) -> Result<Self, ConfigError> {
        let is_enabled = flag("crdt_gate_enabled", get("crdt_gate_enabled").as_deref())?;
        // Checked also while the gate is off, so that it can be turned on without surprises.
        let policy = get("gate_policy")
            .map(|it| Policy::parse(&it).map_err(|error| wrong("gate_policy", error.to_string())))
            .transpose()?;
        if is_enabled && policy.is_none() {
            return Err(wrong("gate_policy", "is missing, and crdt_gate_enabled is true"));
        }
        for chain_id in policy.iter().flat_map(Policy::chain_ids) {
            if !endpoints.has(chain_id) {
                let problem = format!("gate_policy asks chain {chain_id}, which has no endpoint");
                return Err(wrong("rpc_urls", problem));
            }
        }
        Ok(Self {
            policy: policy.filter(|_| is_enabled),
            methods: methods(get("gate_methods").as_deref())?,
            refusal_by: refusal_by(get("gate_refusal_by").as_deref())?,
        })
    }

    /// Whether the middleware is for requests with this method.
    pub(crate) fn is_for(&self, method: &Method) -> bool {
        // Handlers answer HEAD as they answer GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.methods.is_empty() || self.methods.contains(method)
    }
}

fn methods(value: Option<&str>) -> Result<Vec<Method>, ConfigError> {
    const METHODS: [Method; 5] =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    list(value)
        .map(|text| {
            let method = METHODS.into_iter().find(|it| it.as_str() == text);
            method.ok_or_else(|| wrong("gate_methods", format!("{text:?} is no HTTP method")))
        })
        .collect()
}

fn refusal_by(value: Option<&str>) -> Result<RefusalBy, ConfigError> {
    match value {
        None | Some("middleware") => Ok(RefusalBy::Middleware),
        Some("handler") => Ok(RefusalBy::Handler),
        Some(text) => {
            Err(wrong("gate_refusal_by", format!("{text:?} is neither middleware nor handler")))
        }
    }
}
