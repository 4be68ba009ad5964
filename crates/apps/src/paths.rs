//! Where a reader of values is, as errors say it: `services.db.volumes[0]`.

use serde_ignored::Path;

/// The key of `path`.
pub(crate) fn key_of(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", key_of(parent)),
        Path::Map { parent, key } => crate::lines::join(&key_of(parent), key),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => key_of(parent),
    }
}
