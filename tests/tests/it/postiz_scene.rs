//! Spaces of Postiz, and who has them.

use e2e::{Answer, Client, Installation, PostizApps, Signer, Tenant, post_to_space};
use serde_json::{Value, json};

/// An installation with the templates of Postiz, and a tenant of it.
pub(crate) struct Scene {
    pub(crate) installation: Installation,
    pub(crate) tenant: Tenant,
    _signer: Signer,
}

impl Scene {
    /// What `change` leaves of the templates, installed.
    pub(crate) fn new(change: impl FnOnce(&PostizApps)) -> Self {
        Self::on(Installation::default(), change)
    }

    /// The same on this installation, which is not up.
    pub(crate) fn on(installation: Installation, change: impl FnOnce(&PostizApps)) -> Self {
        let apps = PostizApps::new(installation.scratch());
        change(&apps);
        let mut installation = installation.with_apps(apps.folder());
        installation.up();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        Self { installation, tenant, _signer: signer }
    }

    /// Makes a space. Returns its id.
    pub(crate) fn create(&self, app: &str, name: &str, title: &str) -> String {
        let body = json!({ "app": app, "name": name, "title": title });
        let answer = self.tenant.post("/v1/spaces", &body);
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.field("id")
    }

    /// POSTs to a space by its name.
    pub(crate) fn post(&self, name: &str, path: &str, body: &Value) -> Answer {
        post_to_space(&self.installation.gateway(), name, path, body)
    }

    /// What the way to the credentials leads to.
    pub(crate) fn credentials(&self, space: &str) -> Answer {
        let redirect = self.tenant.get(&format!("/v1/spaces/{space}/credentials"));
        assert_eq!(redirect.status, 307, "{}", redirect.text);
        let location = redirect.header("location");
        let (origin, path) = location.split_at(location[8..].find('/').unwrap() + 8);
        Client::new(origin).get(path, None)
    }

    /// What `spaceport spaces query` says of a meter or a signal.
    pub(crate) fn query(&self, space: &str, name: &str) -> Value {
        let state = self.installation.state().display().to_string();
        let query = ["spaces", "query", space, name, "--state", &state, "--json"];
        let output = self.installation.spaceport(&query);
        assert_eq!(output.code, Some(0), "{name}: {output:?}");
        serde_json::from_str(&output.stdout).unwrap()
    }
}
