//! Stacks that spaces of this host share.

use domain::{Desired, Generation, SpaceId, Timestamp};
use fleet::DesiredSpace;
use sha2::{Digest as _, Sha256};

use crate::wish::Templates;

/// The id under which the stack `template` of the installation `state_id` is kept: like a space's,
/// and always the same.
pub(crate) fn stack_id(state_id: &str, template: &str) -> SpaceId {
    let hash = Sha256::digest(format!("shared:{state_id}:{template}"));
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    SpaceId::new(Timestamp::from_unix_ms(0), random)
}

/// Whether this is the id of such a stack: no space was made at the time 0.
pub(crate) fn is_stack_id(id: &SpaceId) -> bool {
    id.as_str().starts_with("spc_0000000000")
}

/// The stack that a space with this wish needs, as a wish: that it runs. `None` if it needs none.
pub(crate) fn stack_of(wish: &DesiredSpace, templates: &Templates) -> Option<DesiredSpace> {
    if wish.desired == Desired::Deleted {
        return None;
    }
    let app = templates.releases.get(&wish.app, &wish.release)?;
    Some(stack(&app.shared.as_ref()?.stack, templates))
}

/// The wish that the stack `template` runs: the release that it has, or the current one where there is
/// none yet. It has no owner who could ask for another, and everybody's data is in it.
pub(crate) fn stack(template: &str, templates: &Templates) -> DesiredSpace {
    let current = templates.releases.get(template, "");
    DesiredSpace {
        id: stack_id(&templates.state_id, template),
        name: "shared".parse().expect("a name of six letters"),
        title: current.map(|it| it.title.clone()).unwrap_or_default(),
        // Nobody visits it.
        url: String::new(),
        domains: Vec::new(),
        app: template.to_owned(),
        release: String::new(),
        settings: serde_json::json!({}),
        desired: Desired::Running,
        generation: Generation::FIRST,
        has_data: false,
        gave_up: false,
        suspension: None,
        request_id: None,
    }
}

/// Whether a wish is for a stack that spaces share: nobody visits it.
pub(crate) const fn is_stack(wish: &DesiredSpace) -> bool {
    wish.url.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_has_one_id_in_an_installation_and_another_in_the_next() {
        assert_eq!(stack_id("a", "postiz-services"), stack_id("a", "postiz-services"));
        assert_ne!(stack_id("a", "postiz-services"), stack_id("b", "postiz-services"));
        assert_ne!(stack_id("a", "postiz-services"), stack_id("a", "other"));
    }
}
