//! The data of spaces: who wrote it, and what there is besides it.

use crate::{DesiredStack, ObservedStack, Step};

/// What is in the volumes of a space, in the copy of them, and in its final backup: the releases that
/// wrote there.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) written_by: Vec<String>,
    pub(super) copy: Option<Vec<String>>,
    pub(super) backup: Option<Vec<String>>,
    /// Whether visitors could come, so that it is somebody's.
    pub(super) is_somebodys: bool,
}

/// Whether `step` removes what is somebody's, of which no backup has all.
pub(super) fn loses(data: &Data, stack: &ObservedStack, step: &Step) -> bool {
    let removes = match step {
        Step::RemoveVolume(volume) => stack.volumes.contains(volume),
        Step::RemoveShared => stack.is_prepared,
        _ => false,
    };
    removes && data.is_somebodys && data.backup.as_ref() != Some(&data.written_by)
}

/// What a step does to the data.
pub(super) fn write(data: &mut Data, desired: &DesiredStack, step: &Step) {
    match step {
        Step::StartContainer(_) | Step::UnpauseContainer(_) => {
            if data.written_by.last() != Some(&desired.release) {
                data.written_by.push(desired.release.clone());
            }
            data.backup = None;
        }
        Step::SaveData => data.copy = Some(data.written_by.clone()),
        Step::CommitUpdate => data.copy = None,
        Step::MarkReady => data.is_somebodys = true,
        Step::BackUp => data.backup = Some(data.written_by.clone()),
        Step::RestoreData => {
            // Twice is as good as once: the answer may have been lost.
            data.written_by = data.copy.clone().expect("there is a copy as long as it is needed");
        }
        _ => {}
    }
}
