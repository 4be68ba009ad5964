//! What a space held is in its final backup, and until that is there nothing is removed.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bollard::query_parameters::RemoveVolumeOptions;
use domain::{Desired, ObservedState};
use fleet::DesiredSpace;
use sha2::{Digest as _, Sha256};
use worker::{VerifiedBackup, list_backups, verify_backup};

use crate::{APP, compose, support::Bench};

/// A bench with an app of one volume.
async fn bench(name: &str) -> Bench {
    let compose = compose("spaceport/hello:1", r#"["/usr/bin/start"]"#).replace(
        "    read_only: true\n",
        "    read_only: true\n    tmpfs:\n      - /tmp:size=1m\n",
    );
    Bench::with_app(name, &compose, &APP.replace("timeout_seconds = 1", "timeout_seconds = 20"))
        .await
}

/// Where the volume of a space is on this machine.
async fn folder_of(bench: &Bench, wish: &DesiredSpace) -> PathBuf {
    let volume = bench.docker.inspect_volume(&format!("{}-data", wish.id.docker_name())).await;
    volume.unwrap().mountpoint.into()
}

/// The only backup of a space, which is right.
pub(crate) fn backup_of(bench: &Bench, wish: &DesiredSpace) -> (PathBuf, VerifiedBackup) {
    let listed = list_backups(bench.state_dir()).unwrap();
    let of_space: Vec<_> = listed.into_iter().filter(|it| it.space == wish.id).collect();
    assert_eq!(of_space.len(), 1, "{of_space:?}");
    let file = of_space.into_iter().next().unwrap().file;
    let verified = verify_backup(bench.state_dir(), &file).unwrap();
    assert_eq!(verified.space, wish.id);
    let n_files = fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(n_files, 1, "nothing else is left of making it");
    (file, verified)
}

/// Unpacks a backup with the `tar` of this machine, as root.
pub(crate) fn unpack(bench: &Bench, file: &Path) -> tempfile::TempDir {
    let key = fs::read_to_string(bench.state_dir().join("worker/backup.key")).unwrap();
    let key: age::x25519::Identity = key.lines().last().unwrap().parse().unwrap();
    let decryptor = age::Decryptor::new(fs::File::open(file).unwrap()).unwrap();
    let opened = decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    let tar = tar.args(["-x", "-p", "--numeric-owner", "-C"]).arg(folder.path());
    let mut tar = tar.stdin(Stdio::piped()).spawn().unwrap();
    let mut contents = Vec::new();
    zstd::Decoder::new(opened).unwrap().read_to_end(&mut contents).unwrap();
    tar.stdin.take().unwrap().write_all(&contents).unwrap();
    assert!(tar.wait().unwrap().success());
    folder
}

/// All that is in a folder: names, kinds, modes, owners, times, where links lead, which names are of
/// one file, and what is in files.
fn snapshot(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut inodes = Vec::new();
    let mut to_see = vec![folder.to_owned()];
    while let Some(path) = to_see.pop() {
        let seen = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(folder).unwrap();
        let what = if seen.is_dir() {
            let mut entries: Vec<_> =
                fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()).collect();
            entries.sort();
            to_see.extend(entries);
            String::new()
        } else if seen.is_symlink() {
            format!("to {}", shown(&fs::read_link(&path).unwrap()))
        } else if seen.is_file() {
            inodes.push(seen.ino());
            let first = inodes.iter().position(|it| *it == seen.ino());
            let hash = Sha256::digest(fs::read(&path).unwrap());
            format!("{} bytes {hash:x?} like {first:?}", seen.len())
        } else {
            "special".to_owned()
        };
        let (mode, uid, gid, time) = (seen.mode(), seen.uid(), seen.gid(), seen.mtime());
        let name = shown(name);
        found.push(format!("{name} {mode:o} {uid}:{gid} {time} {what}"));
    }
    found
}

fn shown(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().escape_ascii().to_string()
}

/// Fills a folder with what is easily lost.
fn furnish(folder: &Path) {
    let write = |name: &Path, contents: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    };
    let mut noise = vec![0; 5_000_000];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
    let big = write(Path::new("uploads/big.bin"), &noise);
    write(Path::new("zeros"), &[0; 4096]);
    write(Path::new("empty"), b"");
    write(Path::new("-rf *"), b"dash");
    write(Path::new("line\nbreak \"quoted\" \\ and ä"), b"odd");
    let no_text: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"no \xff\xfe text");
    write(Path::new(no_text), b"bytes");
    write(&Path::new(&"deep/".repeat(40)).join("n".repeat(200)), b"long");
    fs::hard_link(&big, folder.join("uploads/again.bin")).unwrap();
    symlink("uploads/../empty", folder.join("soft")).unwrap();
    symlink("/no/where/".repeat(20), folder.join("far")).unwrap();
    let set_id = write(Path::new("set-id"), b"#!");
    chown(&set_id, Some(1234), Some(5678)).unwrap();
    fs::set_permissions(&set_id, fs::Permissions::from_mode(0o4751)).unwrap();
    let closed = folder.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o1700)).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_space_held_is_in_its_backup_to_the_last_bit() {
    let bench = bench("backup").await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    let folder = folder_of(&bench, &wish).await;
    furnish(&folder);
    let before = snapshot(&folder);

    let gone = bench.change(&wish, Desired::Deleted);
    let told = bench.told(&gone, ObservedState::Gone).await;
    let names: Vec<_> = told.steps.iter().map(|it| it.name.as_str()).collect();
    let want = ["stop-web", "back-up", "remove-web", "remove-network", "remove-volume-data"];
    assert_eq!(names[..5], want, "{names:?}");
    assert_eq!(bench.objects().await, Vec::<String>::new());
    assert!(!bench.files(&wish).exists());

    let (file, verified) = backup_of(&bench, &wish);
    assert_eq!(verified.name.as_deref(), Some(wish.name.as_str()));
    assert_eq!((&*verified.app, verified.missing.len()), ("odd", 0));
    let modes = [&*file, file.parent().unwrap(), &bench.state_dir().join("worker/backup.key")]
        .map(|it| fs::metadata(it).unwrap().mode() & 0o777);
    assert_eq!(modes, [0o600, 0o700, 0o600]);
    let unpacked = unpack(&bench, &file);
    assert_eq!(snapshot(&unpacked.path().join("volumes/data")), before);
    let manifest = fs::read(unpacked.path().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    // The manifest is not in the manifest.
    let n_entries = u64::try_from(manifest["entries"].as_array().unwrap().len()).unwrap();
    assert_eq!(n_entries, verified.n_entries);
    assert_eq!(n_entries, u64::try_from(before.len()).unwrap() + 1);
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_until_there_is_room_for_the_backup() {
    let bench = bench("noroom").await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    furnish(&folder_of(&bench, &wish).await);
    let backups = bench.state_dir().join("backups");
    fs::create_dir_all(&backups).unwrap();
    let mut mount = Command::new("mount");
    let mount = mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&backups).status();
    assert!(mount.unwrap().success());

    let gone = bench.change(&wish, Desired::Deleted);
    let want = "the final backup could not be written: no space left";
    bench.until("a reason", async || bench.reason(&gone) == want).await;
    let id = wish.id.docker_name();
    let own = async || {
        let objects = bench.objects().await;
        objects.into_iter().filter(|it| !it.contains("copy.of")).collect::<Vec<_>>()
    };
    let all = [
        format!("container {id}-web exited"),
        format!("network {id}"),
        format!("volume {id}-data"),
    ];
    assert_eq!(own().await, all);
    let parts = fs::read_dir(backups.join(wish.id.as_str())).unwrap();
    let complete = parts.filter(|it| !it.as_ref().unwrap().path().ends_with(".part"));
    assert!(complete.count() <= 1, "at most the attempt of now");

    let unmounted = async || Command::new("umount").arg(&backups).status().unwrap().success();
    bench.until("unmounted", unmounted).await;
    bench.told(&gone, ObservedState::Gone).await;
    backup_of(&bench, &wish);
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_whose_volume_is_gone_can_be_deleted_and_its_backup_says_so() {
    let bench = bench("missing").await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    let asleep = bench.change(&wish, Desired::Hibernated);
    bench.told(&asleep, ObservedState::Stopped).await;
    worker.stop().await;
    remove_volume(&bench, &wish).await;
    let gone = bench.change(&wish, Desired::Deleted);
    let worker = bench.worker().await;
    bench.told(&gone, ObservedState::Gone).await;
    let (_, verified) = backup_of(&bench, &wish);
    assert_eq!(verified.missing, ["volumes/data"]);
    bench.end(worker).await;
}

async fn remove_volume(bench: &Bench, wish: &DesiredSpace) {
    let id = wish.id.docker_name();
    bench.docker.remove_container(&format!("{id}-web"), None).await.unwrap();
    let options = None::<RemoveVolumeOptions>;
    bench.docker.remove_volume(&format!("{id}-data"), options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_the_way_back_from_an_update_the_copy_is_what_counts() {
    for is_torn in [false, true] {
        let bench = bench(&format!("undone{}", u8::from(is_torn))).await;
        let worker = bench.worker().await;
        let wish = bench.wish("odd");
        bench.edge.want(wish.clone());
        bench.told(&wish, ObservedState::Ready).await;
        let asleep = bench.change(&wish, Desired::Hibernated);
        bench.told(&asleep, ObservedState::Stopped).await;
        worker.stop().await;

        // As if the worker had been killed while it put the copy back.
        let files = bench.files(&wish);
        let release = fs::read_to_string(files.join("release")).unwrap();
        fs::create_dir(files.join("copies")).unwrap();
        let before = tempfile::tempdir().unwrap();
        fs::write(before.path().join("letter"), "of before the update").unwrap();
        let copy = files.join("copies/data.tar");
        let mut tar = Command::new("tar");
        let tar = tar.args(["-c", "-f"]).arg(&copy).arg("-C").arg(before.path()).arg(".").status();
        assert!(tar.unwrap().success());
        let bytes = fs::read(&copy).unwrap();
        let update = serde_json::json!({
            "from": release,
            "to": "another",
            "generation": 2,
            "state": { "is": "undoing", "reason": "no use" },
            "copies": [{
                "volume": "data",
                "bytes": bytes.len(),
                "sha256": domain::hex(&Sha256::digest(&bytes)),
            }],
        });
        fs::write(files.join("update"), update.to_string()).unwrap();
        if is_torn {
            fs::write(&copy, &bytes[..bytes.len() / 2]).unwrap();
            fs::write(folder_of(&bench, &wish).await.join("letter"), "half way").unwrap();
        } else {
            remove_volume(&bench, &wish).await;
        }

        let gone = bench.change(&wish, Desired::Deleted);
        let worker = bench.worker().await;
        bench.told(&gone, ObservedState::Gone).await;
        let (file, verified) = backup_of(&bench, &wish);
        assert_eq!(verified.missing, Vec::<String>::new());
        let unpacked = unpack(&bench, &file);
        let letter = fs::read_to_string(unpacked.path().join("volumes/data/letter")).unwrap();
        assert_eq!(letter, if is_torn { "half way" } else { "of before the update" });
        assert!(!files.exists());
        bench.end(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_whose_app_is_here_no_more_is_backed_up_all_the_same() {
    let bench = bench("noapp").await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    fs::write(folder_of(&bench, &wish).await.join("letter"), "dear").unwrap();
    worker.stop().await;
    let state = bench.state_dir();
    fs::remove_dir_all(state.join("worker/releases/odd")).unwrap();
    fs::rename(state.join("apps/odd"), state.join("apps/even")).unwrap();
    let gone = bench.change(&wish, Desired::Deleted);
    let worker = bench.worker().await;
    bench.told(&gone, ObservedState::Gone).await;
    let (file, verified) = backup_of(&bench, &wish);
    assert_eq!(verified.name, None);
    let unpacked = unpack(&bench, &file);
    assert_eq!(fs::read(unpacked.path().join("volumes/data/letter")).unwrap(), b"dear");
    bench.end(worker).await;
}
