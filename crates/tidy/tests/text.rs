//! The text of the project keeps to its own rules.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Lines of a file before its tests.
const FILE_LINES_MAX: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text files that Git knows, with one of these endings.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success());
    let names = String::from_utf8(output.stdout).unwrap();
    names
        .lines()
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .filter_map(|name| Some((name.to_owned(), fs::read_to_string(root().join(name)).ok()?)))
        .collect()
}

#[test]
fn files_are_small_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (name, text) in files(&[".rs"]) {
        let n_lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        if FILE_LINES_MAX < n_lines && !name.contains("/tests/") {
            wrong.push(format!("{name}: {n_lines} lines before its tests"));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{name}: does not begin with its purpose"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemented", "!")];
    let mut wrong = Vec::new();
    for (name, text) in files(&[".rs", ".sh", ".ts", ".mjs", ".toml", ".yaml"]) {
        for (index, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{name}:{}", index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// No component is built for nothing: ours has it, or its README says how others do.
#[test]
fn every_component_is_wired() {
    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    for entry in fs::read_dir(root().join("components")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let readme = fs::read_to_string(entry.path().join("README.md")).unwrap_or_default();
        let is_wired = manifest.contains(&format!("[component.{name}]"))
            || readme.contains(&format!("source = \"{name}.wasm\""));
        assert!(is_wired, "{name} is neither in spin.toml nor in a manifest of its README");
    }
}

/// Who works with what things cost knows all of it: what it isn't told it would take for the default.
#[test]
fn a_component_is_told_all_prices_or_none() {
    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    let prices = ["price_base_month", "price_post", "price_storage_gib_month", "storage_free_gib"];
    for component in manifest.split("\n[component.").skip(1) {
        let told = prices.map(|it| component.contains(&format!("\n{it} = \"{{{{")));
        assert!(told == [told[0]; 4], "{}: {told:?}", component.lines().next().unwrap());
    }
}
