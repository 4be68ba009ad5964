//! What templates of one folder say about each other.

use crate::{Kind, Rule, Template, TemplateError, errors::Errors};

/// What is wrong with the services of the host that `template` uses. `find` says which template has
/// an id, and `None` if one is there that can't be read.
pub(crate) fn check<'a>(
    template: &Template,
    find: impl FnOnce(&str) -> Option<Option<&'a Template>>,
) -> Vec<TemplateError> {
    let mut errors = Errors::default();
    if let Some(shared) = &template.shared {
        match find(&shared.stack) {
            None => {
                let rule = Rule::Undefined { kind: "template", name: shared.stack.clone() };
                errors.app("shared.stack", rule);
            }
            // It has errors of its own.
            Some(None) => {}
            Some(Some(stack)) if stack.kind != Kind::Shared => {
                errors.app("shared.stack", Rule::OutOfRange("a template of kind shared"));
            }
            Some(Some(stack)) => {
                // What the stack looks for by this name, it would find in the spaces' networks while its
                // own is down.
                for service in &template.services {
                    if stack.services.iter().any(|it| it.name == service.name) {
                        let rule = Rule::Malformed(format!(
                            "{} has a service of this name, too",
                            shared.stack
                        ));
                        errors.compose(format!("services.{}", service.name), rule);
                    }
                }
                for (name, service) in &shared.services {
                    if !stack.services.iter().any(|it| it.name == *service) {
                        let rule = Rule::Undefined { kind: "service", name: service.clone() };
                        errors.app(format!("shared.services.{name}"), rule);
                    }
                }
            }
        }
    }
    errors.finish(&template.source.compose_yaml, &template.source.app_toml)
}
