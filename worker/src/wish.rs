//! From what the edge wants of a space to the stack that is wanted on this host.

use std::{collections::BTreeMap, time::Duration};

use apps::Template;
use domain::{Desired, ObservedState};
use fleet::{DesiredSpace, Suspension};
use reconcile::{
    Dependency, DesiredStack, Failure, ServiceWish, Target, UpdateRecord, Web, release_of,
};
use url::Url;

use crate::{operator_values::OperatorValues, releases::Releases, routes::Route};

/// What stacks are made of.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    pub(crate) releases: std::sync::Arc<Releases>,
    pub(crate) operator: OperatorValues,
    /// What the installation is named by.
    pub(crate) state_id: String,
}

/// Of which release a space's data is, and how far an update is, as is on record.
pub(crate) type Standing = (Option<String>, Option<UpdateRecord>);

/// The host that visitors ask for, as routes are keyed by it.
pub(crate) fn route_host(wish: &DesiredSpace) -> String {
    let url = Url::parse(&wish.url).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or_default().to_ascii_lowercase()
}

/// All hosts that visitors may ask for.
pub(crate) fn route_hosts(wish: &DesiredSpace) -> Vec<String> {
    std::iter::once(route_host(wish)).chain(wish.domains.iter().cloned()).collect()
}

/// What visitors get of a space that stands still.
pub(crate) fn stopped_route(wish: &DesiredSpace) -> Route {
    match (wish.desired, &wish.suspension) {
        (Desired::Suspended, Some(Suspension::Payment { pay_url })) => {
            Route::Suspended { pay_url: Some(pay_url.clone()) }
        }
        (Desired::Suspended, _) => Route::Suspended { pay_url: None },
        _ => Route::Stopped,
    }
}

/// What should be the case on this host, where `is_cleared` says that the worker itself gave up.
pub(crate) fn target(wish: &DesiredSpace, is_cleared: bool) -> Target {
    match wish.desired {
        Desired::Deleted => Target::Absent,
        Desired::Hibernated | Desired::Suspended => Target::Stopped,
        Desired::Running if wish.gave_up || is_cleared => Target::Cleared,
        Desired::Running => Target::Running,
    }
}

/// What to call it when `target` is reached; nothing where there is nothing new to say.
pub(crate) const fn state_at(desired: Desired, target: Target) -> Option<ObservedState> {
    match target {
        Target::Running => Some(ObservedState::Ready),
        Target::Stopped if matches!(desired, Desired::Running) => Some(ObservedState::Halted),
        Target::Stopped => Some(ObservedState::Stopped),
        Target::Absent => Some(ObservedState::Gone),
        Target::Cleared => None,
    }
}

/// The stack that `wish` asks for, toward `target`, where `standing` is on record: of the release
/// that is wanted, or of the one that an update comes from or goes back to.
///
/// What should not run needs no template: a space whose app is no longer here can be stopped and
/// removed.
///
/// Of the settings, those that the app no longer has are ignored. A space with data whose settings
/// no longer fit has a stack all the same: what runs runs on, and no new container is made of them.
///
/// # Errors
/// [`Failure::AppUnknown`] if it should run, and [`Failure::Settings`] if it never did.
pub(crate) fn stack(
    wish: &DesiredSpace,
    target: Target,
    standing: &Standing,
    templates: &Templates,
) -> Result<DesiredStack, Failure> {
    let bare = bare_stack(wish, target);
    let (release, stage) =
        release_of(standing.0.as_deref(), standing.1.as_ref(), &wish.release, wish.generation);
    let Some(template) = templates.releases.get(&wish.app, release) else {
        let unknown = Failure::AppUnknown { app: wish.app.clone() };
        return if target == Target::Running { Err(unknown) } else { Ok(bare) };
    };
    let mut values = BTreeMap::from([
        ("SPACE_ID".to_owned(), wish.id.docker_name()),
        ("SPACE_NAME".to_owned(), wish.name.as_str().to_owned()),
        ("SPACE_TITLE".to_owned(), wish.title.clone()),
        ("SPACE_URL".to_owned(), wish.url.clone()),
        ("SPACE_HOST".to_owned(), route_host(wish)),
    ]);
    values.extend(templates.operator.variables(template));
    match template.settings.validate(&known_settings(wish, template)) {
        Ok(settings) => values.extend(settings.variables()),
        Err(error) if target == Target::Running && !wish.has_data => {
            return Err(Failure::Settings { detail: error.to_string() });
        }
        Err(_) => {}
    }
    Ok(DesiredStack { values, stage, ..stack_of(template, bare) })
}

/// What `template` says of a stack, on top of `bare`.
fn stack_of(template: &Template, bare: DesiredStack) -> DesiredStack {
    let services = template.services.iter().map(|service| ServiceWish {
        name: service.name.clone(),
        image: service.image.clone(),
        depends_on: service
            .depends_on
            .iter()
            .map(|it| Dependency { service: it.service.clone(), healthy: it.healthy })
            .collect(),
    });
    let web = template.web.as_ref().map(|web| Web {
        service: web.service.clone(),
        port: web.port,
        path: template.ready.path.clone(),
    });
    let shared = template.shared.iter().flat_map(|it| it.services.keys().cloned());
    DesiredStack {
        release: template.release.clone(),
        has_secrets: !template.secrets.is_empty(),
        has_first_admin: template.first_admin.is_some(),
        shared: shared.collect(),
        volumes: template.volumes.clone(),
        services: services.collect(),
        web,
        patience: Duration::from_secs(template.ready.timeout_seconds.into()),
        ..bare
    }
}

/// What was chosen of the settings that the app has now.
fn known_settings(wish: &DesiredSpace, template: &Template) -> serde_json::Value {
    let mut settings = wish.settings.clone();
    if let Some(settings) = settings.as_object_mut() {
        settings.retain(|key, _| template.settings.settings().contains_key(key));
    }
    settings
}

/// The stack without anything that a template says.
pub(crate) fn bare_stack(wish: &DesiredSpace, target: Target) -> DesiredStack {
    DesiredStack {
        space: wish.id.clone(),
        generation: wish.generation,
        target,
        has_data: wish.has_data,
        app: wish.app.clone(),
        release: String::new(),
        stage: None,
        values: BTreeMap::new(),
        has_secrets: false,
        has_first_admin: false,
        shared: Vec::new(),
        volumes: Vec::new(),
        services: Vec::new(),
        web: None,
        patience: Duration::ZERO,
    }
}
