//! What apps say, without what only the space may know: it goes to the edge and into logs.

use reconcile::DesiredStack;

use super::Engine;

/// Shortest value of the operator's that is taken for a secret, in bytes.
const OPERATOR_SECRET_LEN_MIN: usize = 8;

impl Engine {
    /// `text` with the space's secrets and the operator's values struck out; none if the secrets
    /// can't be read, since then nobody knows what to strike out.
    pub(super) async fn without_secrets(
        &self,
        desired: &DesiredStack,
        text: &str,
    ) -> Option<String> {
        let mut text = text.to_owned();
        if desired.has_secrets {
            for secret in self.files.secrets(&desired.space).await.ok()?.values() {
                text = text.replace(secret, "***");
            }
        }
        let of_operator = desired.values.iter().filter(|(name, _)| name.starts_with("OPERATOR_"));
        for (_, value) in of_operator.filter(|(_, it)| OPERATOR_SECRET_LEN_MIN <= it.len()) {
            text = text.replace(value, "***");
        }
        Some(text)
    }
}
