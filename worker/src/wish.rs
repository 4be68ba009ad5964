//! From what the edge wants of a space to the stack that is wanted on this host.

use std::{collections::BTreeMap, time::Duration};

use apps::Template;
use domain::{Desired, ObservedState};
use fleet::DesiredSpace;
use reconcile::{Dependency, DesiredStack, Failure, ServiceWish, Target, Web};
use url::Url;

/// The host that visitors ask for, as routes are keyed by it.
pub(crate) fn route_host(wish: &DesiredSpace) -> String {
    let url = Url::parse(&wish.url).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or_default().to_ascii_lowercase()
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
pub(crate) const fn state_at(target: Target) -> Option<ObservedState> {
    match target {
        Target::Running => Some(ObservedState::Ready),
        Target::Stopped => Some(ObservedState::Stopped),
        Target::Absent => Some(ObservedState::Gone),
        Target::Cleared => None,
    }
}

/// The stack that `wish` asks for, toward `target`.
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
    templates: &BTreeMap<String, Template>,
) -> Result<DesiredStack, Failure> {
    let bare = bare_stack(wish, target);
    let Some(template) = templates.get(&wish.app) else {
        let unknown = Failure::AppUnknown { app: wish.app.clone() };
        return if target == Target::Running { Err(unknown) } else { Ok(bare) };
    };
    let mut values = BTreeMap::from([
        ("SPACE_NAME".to_owned(), wish.name.as_str().to_owned()),
        ("SPACE_TITLE".to_owned(), wish.title.clone()),
        ("SPACE_URL".to_owned(), wish.url.clone()),
        ("SPACE_HOST".to_owned(), route_host(wish)),
    ]);
    match template.settings.validate(&known_settings(wish, template)) {
        Ok(settings) => values.extend(settings.variables()),
        Err(error) if target == Target::Running && !wish.has_data => {
            return Err(Failure::Settings { detail: error.to_string() });
        }
        Err(_) => {}
    }
    let services = template.services.iter().map(|service| ServiceWish {
        name: service.name.clone(),
        image: service.image.clone(),
        depends_on: service
            .depends_on
            .iter()
            .map(|it| Dependency { service: it.service.clone(), healthy: it.healthy })
            .collect(),
    });
    Ok(DesiredStack {
        values,
        has_secrets: !template.secrets.is_empty(),
        volumes: template.volumes.clone(),
        services: services.collect(),
        web: Some(Web {
            service: template.web.service.clone(),
            port: template.web.port,
            path: template.ready.path.clone(),
            patience: Duration::from_secs(template.ready.timeout_seconds.into()),
        }),
        ..bare
    })
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
        values: BTreeMap::new(),
        has_secrets: false,
        volumes: Vec::new(),
        services: Vec::new(),
        web: None,
    }
}
