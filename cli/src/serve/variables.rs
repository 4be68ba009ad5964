//! The values of the edge's variables.

use std::collections::BTreeMap;

use credentials::sha256_hex;
use http_api::Config;

use crate::{random, state::State};

/// What the environment says, and for the rest what a laptop needs: keys that are kept in the
/// state, and `edge_url` as our own origin.
///
/// # Errors
/// If a value cannot be meant, in one line that names the variable, or the state cannot be used.
pub(super) fn variables(
    mut given: BTreeMap<String, String>,
    state: &State,
    edge_url: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let defaults = [
        ("base_domain", "localhost".to_owned()),
        ("public_url", edge_url.to_owned()),
        ("session_key", state.session_key()?),
        ("admin_key_sha256", sha256_hex(&state.admin_key()?)),
        // Only the edge's own cron trigger uses it, so it need not outlive the process.
        ("cron_key", random::hex::<32>()?),
    ];
    for (name, value) in defaults {
        given.entry(name.to_owned()).or_insert(value);
    }
    let config = Config::parse(|name| given.get(name).cloned())?;
    // The nodes, facilitators and resolver that are asked can be reached, and nothing else.
    given.entry("rpc_origins".to_owned()).or_insert(config.endpoints.origins().join(" "));
    let facilitators = config.till.map(|it| it.origins()).unwrap_or_default();
    given.entry("x402_facilitator_origins".to_owned()).or_insert(facilitators.join(" "));
    let resolver = config.resolver.map(|it| it.origin().to_owned()).unwrap_or_default();
    given.entry("dns_over_https_origin".to_owned()).or_insert(resolver);
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Half;

    #[test]
    fn the_environment_goes_before_the_defaults_and_wrong_values_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(Some(folder.path().to_owned())).unwrap();
        let _lock = state.lock(Half::Edge).unwrap();
        let run = |name: &str, value: &str| {
            let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            variables(given, &state, "http://127.0.0.1:3000")
        };

        let got = run("base_domain", "spaces.example").unwrap();
        assert_eq!(got["base_domain"], "spaces.example");
        assert_eq!(got["public_url"], "http://127.0.0.1:3000");
        assert_eq!(got["session_key"], state.session_key().unwrap());
        assert_eq!(got["admin_key_sha256"], sha256_hex(&state.admin_key().unwrap()));
        assert_ne!(got["cron_key"], run("other", "x").unwrap()["cron_key"]);

        assert_eq!(got["rpc_origins"], "");
        let urls = r#"{"1":["https://a.example/key","http://127.0.0.1:8545"]}"#;
        let got = run("rpc_urls", urls).unwrap();
        assert_eq!(got["rpc_origins"], "http://127.0.0.1:8545 https://a.example:443");

        for (url, origin) in [
            ("https://dns.example/a-profile", "https://dns.example:443"),
            ("http://127.0.0.1:8053/dns-query", "http://127.0.0.1:8053"),
            ("off", ""),
        ] {
            let got = run("dns_over_https_url", url).unwrap();
            assert_eq!(got["dns_over_https_origin"], origin, "{url}");
        }

        let error = run("base_domain", "Spaces.example").unwrap_err().to_string();
        assert!(error.contains("variable base_domain"), "{error}");
    }
}
