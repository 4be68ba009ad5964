//! Compiled code, handed from one installation to the next.
//!
//! An edge compiles its components when a state is new, which costs many seconds of CPU, and keeps
//! the result under names that are made of the content. So a copy of another state's is as good.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::home;

/// Where an edge keeps it, below its state.
const IN_STATE: &str = "edge/compiled-code";

/// Where it is kept between installations: beside the program that made it.
fn shelf() -> PathBuf {
    home().join("dist/compiled-code")
}

/// Gives a new state what an earlier one compiled, if there is something.
pub fn warm_up(state: &Path) {
    let to = state.join(IN_STATE);
    if !to.exists() {
        // Without it everything takes longer, and no more.
        let _ = copy(&shelf(), &to);
    }
}

/// Keeps what a state compiled for later ones.
pub(crate) fn keep(state: &Path) {
    let shelf = shelf();
    if is_newer_than_components(&shelf).unwrap_or(false) {
        return;
    }
    let _ = tempfile::tempdir_in(home().join("dist")).and_then(|folder| {
        let (whole, old) = (folder.path().join("new"), folder.path().join("old"));
        copy(&state.join(IN_STATE), &whole)?;
        let _ = fs::rename(&shelf, old);
        // Whoever comes second finds the place taken.
        fs::rename(whole, shelf)
    });
}

fn is_newer_than_components(shelf: &Path) -> io::Result<bool> {
    let made = |path: &Path| -> io::Result<SystemTime> { fs::metadata(path)?.modified() };
    let shelf = made(shelf)?;
    for entry in fs::read_dir(home().join("dist"))? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("wasm")) && shelf < made(&path)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
