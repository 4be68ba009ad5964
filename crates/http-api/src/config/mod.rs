//! What the operator configures.

mod gate;
mod names;
mod site;
mod till;
mod values;

use billing::{DunningPolicy, Rates};
use credentials::KeyRing;
use domain::{ReservedNames, Wallet};
use evm::{Endpoint, Endpoints};
use facilitator::WebhookSecrets;
use http::Uri;
use ipnet::IpNet;
use limits::Allowance;

use values::{present, wrong};

pub use gate::GateConfig;
pub(crate) use gate::RefusalBy;
pub use names::TraefikConfig;
pub use site::Site;
pub use till::TillConfig;
pub use values::ConfigError;

/// The name of every variable that is read here.
pub const VARIABLES: [&str; 34] = [
    "base_domain",
    "public_url",
    "session_key",
    "previous_session_keys",
    "admin_addresses",
    "admin_key_sha256",
    "cron_key",
    "reserved_names",
    "cors_origins",
    "crdt_gate_enabled",
    "gate_policy",
    "gate_methods",
    "gate_refusal_by",
    "rpc_urls",
    "siwe_chain_ids",
    "contract_wallet_chain_id",
    "rate_general_per_min",
    "rate_provision_per_hour",
    "trusted_proxies",
    "x402_pay_to",
    "x402_networks",
    "x402_facilitator_url",
    "x402_facilitator_credentials",
    "facilitator_webhook_secret",
    "price_base_month",
    "price_post",
    "price_storage_gib_month",
    "storage_free_gib",
    "grace_days",
    "retention_days",
    "dns_over_https_url",
    "traefik_priority",
    "traefik_entrypoints",
    "traefik_cert_resolver",
];

/// Highest rate that can be configured. Above it there is better no limit at all.
const RATE_MAX: u32 = 1_000_000;

/// The configuration of the edge.
#[derive(Clone)]
pub struct Config {
    /// Spaces are at `<name>.<base_domain>`.
    pub base_domain: String,
    /// Where we are ourselves.
    pub site: Site,
    /// The keys behind our credentials.
    pub keys: KeyRing,
    /// Wallets whose sessions are the operator's.
    pub admins: Vec<Wallet>,
    /// Hash of the operator's bearer key.
    pub admin_key_sha256: Option<String>,
    /// The bearer key with which the cron trigger calls.
    pub cron_key: Option<String>,
    /// Names that nobody may take.
    pub reserved_names: ReservedNames,
    /// Who may come in.
    pub gate: GateConfig,
    /// Which nodes are asked about which chain.
    pub endpoints: Endpoints,
    /// The chains a session may be bound to. Empty: any.
    pub chain_ids: Vec<u64>,
    /// The chain on which contract wallets are asked. A contract's address is one party's on one
    /// chain only, and sessions are of addresses.
    pub contract_wallet_chain: Option<u64>,
    /// How often anybody may call. `None`: as often as they like.
    pub general: Option<Allowance>,
    /// How many spaces a wallet may make.
    pub provision: Option<Allowance>,
    /// Proxies of ours, whose word on who is calling is taken.
    pub proxies: Vec<IpNet>,
    /// What things cost.
    pub rates: Rates,
    /// What happens to those who do not pay, and when.
    pub dunning: DunningPolicy,
    /// How that is paid. Without it, it is not.
    pub till: Option<TillConfig>,
    /// What facilitators sign with what they tell us. Without it nobody is believed.
    pub webhook_secrets: Option<WebhookSecrets>,
    /// Who is asked what stands in DNS. Without it nobody can bring a domain along.
    pub resolver: Option<Endpoint>,
    /// What Traefik is told of our routes.
    pub traefik: TraefikConfig,
}

impl Config {
    /// Reads the configuration; `lookup` gives a variable's value. An empty one is as good as none.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| present(&lookup, name);
        let keys = values::keys(get("session_key"), get("previous_session_keys").as_deref())?;
        let endpoints = get("rpc_urls").unwrap_or_else(|| "{}".to_owned()).parse::<Endpoints>();
        let endpoints = endpoints.map_err(|it| wrong("rpc_urls", it.to_string()))?;
        let rate = |variable: &'static str, default| {
            values::number(variable, get(variable).as_deref(), default, RATE_MAX)
        };
        Ok(Self {
            base_domain: values::base_domain(get("base_domain"))?,
            site: Site::parse(&lookup)?,
            admins: values::addresses(get("admin_addresses").as_deref())?,
            admin_key_sha256: values::sha256(get("admin_key_sha256"))?,
            cron_key: values::cron_key(get("cron_key"))?,
            reserved_names: ReservedNames::with(&get("reserved_names").unwrap_or_default()),
            gate: GateConfig::parse(get, &endpoints)?,
            contract_wallet_chain: values::contract_wallet_chain(
                get("contract_wallet_chain_id").as_deref(),
                &endpoints,
            )?,
            endpoints,
            chain_ids: values::chain_ids(get("siwe_chain_ids").as_deref())?,
            general: Allowance::per_minute(rate("rate_general_per_min", 10)?),
            provision: Allowance::per_hour(rate("rate_provision_per_hour", 2)?),
            proxies: values::proxies(get("trusted_proxies").as_deref())?,
            rates: values::rates(get)?,
            dunning: values::dunning(get)?,
            till: TillConfig::parse(get, &keys.offer_key())?,
            webhook_secrets: values::webhook_secrets(get("facilitator_webhook_secret").as_deref())?,
            resolver: names::resolver(get("dns_over_https_url").as_deref())?,
            traefik: TraefikConfig::parse(get)?,
            keys,
        })
    }

    /// What things cost: nothing, where nothing can be paid.
    #[must_use]
    pub fn rates_in_force(&self) -> Rates {
        if self.till.is_some() { self.rates } else { Rates::FREE }
    }

    /// The address of the space `name` on a host whose gateway is at `gateway_url`: the same
    /// scheme and port, so that a laptop's odd port is in it.
    #[must_use]
    pub fn space_url(&self, name: &domain::SpaceName, gateway_url: Option<&str>) -> String {
        let gateway = gateway_url.and_then(|it| it.parse::<Uri>().ok());
        let scheme = gateway.as_ref().and_then(Uri::scheme_str).unwrap_or("https");
        let port = gateway.as_ref().and_then(Uri::port_u16);
        let port = port.map(|it| format!(":{it}")).unwrap_or_default();
        format!("{scheme}://{name}.{}{port}", self.base_domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let secret = "k".repeat(32);
        Config::parse(|name| {
            let found = set.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
            found.or((name == "session_key").then_some(&*secret)).map(str::to_owned)
        })
    }

    #[test]
    fn a_laptop_needs_a_session_key_only() {
        let config = parse(&[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.base_domain, "localhost");
        assert_eq!(config.site.origin, "http://127.0.0.1:3000");
        assert_eq!(config.site.domain, "127.0.0.1:3000");
    }

    #[test]
    fn a_wrong_value_is_named() {
        #[rustfmt::skip]
        let rows = [
            ("base_domain",      "Example.org"),
            ("base_domain",      "a..b"),
            ("base_domain",      "-a.example"),
            ("public_url",       "example.org"),
            ("public_url",       "ftp://example.org"),
            ("public_url",       "https://example.org/app"),
            ("public_url",       "https://example.org:443"),
            ("public_url",       "https://user@example.org"),
            ("session_key",      "short"),
            ("admin_addresses",  "0x12"),
            ("admin_key_sha256", "ABC"),
            ("cron_key",         "short"),
            ("previous_session_keys", "short"),
            ("crdt_gate_enabled", "yes"),
            ("crdt_gate_enabled", "TRUE"),
            ("gate_policy",      "nonsense"),
            ("gate_methods",     "post"),
            ("gate_refusal_by",  "nobody"),
            ("rpc_urls",         "[]"),
            ("siwe_chain_ids",   "0"),
            ("contract_wallet_chain_id", "1"),
            ("siwe_chain_ids",   "1, main"),
            ("rate_general_per_min", "-1"),
            ("rate_general_per_min", "1000001"),
            ("rate_provision_per_hour", "many"),
            ("trusted_proxies",  "10.0.0.0/33"),
            ("x402_pay_to",      "0x12"),
            ("x402_pay_to",      "0x0000000000000000000000000000000000000000"),
            ("x402_networks",    "base"),
            ("x402_networks",    "eip155:0"),
            ("x402_networks",    ","),
            ("x402_networks",    "eip155:8453 eip155:8453"),
            ("x402_facilitator_url", "facilitator.example"),
            ("x402_facilitator_credentials", "secret"),
            ("facilitator_webhook_secret", "short"),
            ("price_base_month", "-1"),
            ("price_post",       "1e3"),
            ("price_storage_gib_month", "0.0000001"),
            ("storage_free_gib", "half"),
            ("grace_days",       "-1"),
            ("retention_days",   "3651"),
            ("cors_origins",     "https://a.example, nonsense"),
            ("dns_over_https_url", "dns.example"),
            ("dns_over_https_url", "ftp://dns.example"),
            ("dns_over_https_url", "https://me@dns.example"),
            ("dns_over_https_url", "http://dns.example/dns-query"),
            ("dns_over_https_url", "http://10.0.0.1/dns-query"),
            ("dns_over_https_url", "http://127.0.0.1.example/dns-query"),
            ("traefik_priority", "-1"),
            ("traefik_priority", "high"),
            ("traefik_entrypoints", "web secure`"),
            ("traefik_entrypoints", ","),
            ("traefik_cert_resolver", "a b"),
        ];
        for (variable, value) in rows {
            let error = parse(&[(variable, value)]).err().unwrap_or_else(|| panic!("{value}"));
            assert_eq!(error.variable, variable, "{value}");
        }
    }

    #[test]
    fn dns_is_asked_over_a_way_on_which_nobody_can_lie() {
        #[rustfmt::skip]
        let rows = [
            (None,                                 Some("https://cloudflare-dns.com:443")),
            (Some("off"),                          None),
            (Some("https://dns.example/a-secret"), Some("https://dns.example:443")),
            (Some("http://127.0.0.1:8053/dns-query"), Some("http://127.0.0.1:8053")),
            (Some("http://[::1]:8053/dns-query"),  Some("http://[::1]:8053")),
            (Some("http://localhost/dns-query"),   Some("http://localhost:80")),
        ];
        for (value, origin) in rows {
            let set: Vec<_> = value.map(|it| ("dns_over_https_url", it)).into_iter().collect();
            let config = parse(&set).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(config.resolver.as_ref().map(Endpoint::origin), origin);
        }
    }

    #[test]
    fn a_space_has_the_scheme_and_port_of_its_gateway() {
        let config = parse(&[("base_domain", "spaces.example")]).unwrap_or_else(|_| panic!());
        let name = "garden".parse().unwrap();
        #[rustfmt::skip]
        let rows = [
            (Some("http://127.0.0.1:8080"), "http://garden.spaces.example:8080"),
            (Some("https://host.example"),  "https://garden.spaces.example"),
            (None,                          "https://garden.spaces.example"),
        ];
        for (gateway, want) in rows {
            assert_eq!(config.space_url(&name, gateway), want);
        }
    }
}
