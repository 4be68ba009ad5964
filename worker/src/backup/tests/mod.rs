//! What is written can be read, and nothing else passes for it.

mod shelf;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use domain::{SpaceId, Timestamp};
use tar::{Builder, EntryType, Header};

use super::{
    read_tar::{Member, TarReader},
    *,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

fn space(n: u8) -> SpaceId {
    SpaceId::new(NOW, [n; 10])
}

fn about() -> About {
    About {
        format: FORMAT,
        kind: BackupKind::Final,
        space: space(1),
        name: Some("garden".to_owned()),
        app: "notes".to_owned(),
        release: Some("one".to_owned()),
        created_at: NOW,
    }
}

/// A state with a key.
struct Scene {
    folder: tempfile::TempDir,
    key: BackupKey,
    alive: Alive,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = BackupKey::open_or_make(&folder.path().join("worker")).unwrap();
        Self { folder, key, alive: Alive::default() }
    }

    fn writer(&self, name: &str) -> (ArchiveWriter, PathBuf) {
        let path = self.folder.path().join(name);
        let token = self.alive.token();
        (ArchiveWriter::create(&path, &self.key, about(), token).unwrap(), path)
    }

    /// A backup of a volume of `len` bytes that do not compress.
    fn backup(&self, name: &str, len: usize) -> PathBuf {
        let (mut writer, path) = self.writer(name);
        writer.add_volume("data", &*volume(&noise(len))).unwrap();
        writer.add_database("main", 4, &b"dump"[..]).unwrap();
        writer.miss_volume("uploads");
        writer.finish().unwrap();
        path
    }

    fn verify(&self, file: &Path) -> Result<VerifiedBackup, BackupError> {
        verify(file, &self.key, self.alive.token())
    }

    /// An age file that the key opens, with this in it.
    fn sealed(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        let recipient = self.key.recipient();
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let mut out = encryptor.wrap_output(File::create(&path).unwrap()).unwrap();
        out.write_all(contents).unwrap();
        out.finish().unwrap();
        path
    }

    /// The archive in a backup.
    fn unsealed(&self, file: &Path) -> Vec<u8> {
        let decryptor = age::Decryptor::new(File::open(file).unwrap()).unwrap();
        let opened = decryptor.decrypt(std::iter::once(self.key.identity())).unwrap();
        zstd::decode_all(opened).unwrap()
    }
}

fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn add(archive: &mut Builder<Vec<u8>>, kind: EntryType, name: &[u8], link: &[u8], data: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link);
    header.set_entry_type(kind);
    header.set_mode(0o640);
    header.set_uid(999);
    header.set_gid(998);
    header.set_mtime(77);
    header.set_size(data.len().try_into().unwrap());
    header.set_cksum();
    archive.append(&header, data).unwrap();
}

/// A volume as Docker gives it.
fn volume(contents: &[u8]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, EntryType::Directory, b"./", b"", b"");
    add(&mut archive, EntryType::Regular, b"./big", b"", contents);
    add(&mut archive, EntryType::Regular, b"./empty", b"", b"");
    add(&mut archive, EntryType::Regular, b"./\xff\xfe", b"", b"no text");
    archive.append_pax_extensions([("SCHILY.xattr.user.color", &b"blue\n9 a=b"[..])]).unwrap();
    add(&mut archive, EntryType::Regular, b"./coloured", b"", b"x");
    add(&mut archive, EntryType::Link, b"./hard", b"./big", b"");
    add(&mut archive, EntryType::Symlink, b"./soft", b"../..//etc/", b"");
    let long = format!("./{}", "long/".repeat(60));
    archive.append_pax_extensions([("path", long.as_bytes())]).unwrap();
    add(&mut archive, EntryType::Directory, b"./long", b"", b"");
    archive.append_pax_extensions([("path", &b"./line\nbreak\n"[..])]).unwrap();
    add(&mut archive, EntryType::Regular, b"./line_break_", b"", b"odd");
    archive.into_inner().unwrap()
}

/// A backup reads back entry by entry as it was given.
#[test]
fn a_volume_is_in_the_backup_as_it_was() {
    let scene = Scene::new();
    let path = scene.backup("one", 3_000_000);
    let verified = scene.verify(&path).unwrap();
    assert_eq!((verified.space, verified.name.as_deref()), (space(1), Some("garden")));
    assert_eq!(verified.n_entries, 11);
    assert_eq!(verified.missing, ["volumes/uploads"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let unsealed = scene.unsealed(&path);
    let mut archive = TarReader::new(&*unsealed);
    let mut lines = Vec::new();
    while let Some(member) = archive.next().unwrap() {
        let Member { header, path, target, attributes, bytes } = member;
        let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
        let (name, target) = (text(&path), text(&target.unwrap_or_default()));
        let (bits, uid) = (header.mode().unwrap(), header.uid().unwrap());
        let more: Vec<_> =
            attributes.iter().map(|it| format!("{}={}", it.0, text(&it.1))).collect();
        lines.push(format!("{name} {target} {bits:o} {uid} {bytes} {}", more.join(",")));
    }
    let long = format!("volumes/data/{} {}", "long/".repeat(60), " 640 999 0 ");
    let size = unsealed.len();
    let manifest = lines.pop().unwrap();
    assert!(manifest.starts_with("manifest.json  600 0 "), "{manifest} {size}");
    let about = lines.remove(0);
    assert!(about.starts_with("about.json  600 0 "), "{about}");
    let want = [
        "volumes/data/  640 999 0 ",
        "volumes/data/big  640 999 3000000 ",
        "volumes/data/empty  640 999 0 ",
        "volumes/data/\u{fffd}\u{fffd}  640 999 7 ",
        "volumes/data/coloured  640 999 1 SCHILY.xattr.user.color=blue\n9 a=b",
        "volumes/data/hard volumes/data/big 640 999 0 ",
        "volumes/data/soft ../..//etc/ 640 999 0 ",
        &long,
        "volumes/data/line\nbreak\n  640 999 3 ",
        "databases/main.dump  600 0 4 ",
    ];
    assert_eq!(lines, want);
}

#[test]
fn a_volume_that_broke_off_or_leads_out_of_itself_is_not_taken() {
    let scene = Scene::new();
    let whole = volume(b"contents");
    // Between entries, within one, and just before the end.
    for len in [0, 512, 512 + 5, 1024 + 5, 1536, whole.len() - 512, whole.len() - 1] {
        let (mut writer, path) = scene.writer("part");
        assert!(writer.add_volume("data", &whole[..len]).is_err(), "{len}");
        fs::remove_file(path).unwrap();
    }
    for name in [&b"../out"[..], b"a/../../out", b"/out"] {
        let mut archive = Builder::new(Vec::new());
        add(&mut archive, EntryType::Regular, name, b"", b"");
        let (mut writer, path) = scene.writer("part");
        assert!(writer.add_volume("data", &*archive.into_inner().unwrap()).is_err(), "{name:?}");
        fs::remove_file(path).unwrap();
    }
}

/// What is done to the bytes of a good backup.
type Spoil = fn(&mut Vec<u8>);

/// A member that is larger than a header of the older kind can say.
#[test]
fn what_stands_before_a_member_counts_more_than_its_header() {
    let mut archive = Builder::new(Vec::new());
    let records = [("size", &b"3"[..]), ("path", b"a=\nb"), ("mtime", b"1.5")];
    archive.append_pax_extensions(records).unwrap();
    add(&mut archive, EntryType::Regular, b"short", b"", b"");
    let mut bytes = archive.into_inner().unwrap();
    // Where the end of the archive is, the contents are.
    let at = bytes.len() - 1024;
    bytes.splice(at..at, b"abc".iter().chain(&[0; 509]).copied().collect::<Vec<u8>>());
    let mut archive = TarReader::new(&*bytes);
    let member = archive.next().unwrap().unwrap();
    let mut contents = String::new();
    archive.read_to_string(&mut contents).unwrap();
    assert_eq!((&*member.path, member.bytes, &*contents), (&b"a=\nb"[..], 3, "abc"));
    assert_eq!(member.attributes, [("mtime".to_owned(), b"1.5".to_vec())]);
    assert!(archive.next().unwrap().is_none());

    let whole = volume(b"contents");
    for spoil in [0, 156, 512] {
        let mut bytes = whole.clone();
        bytes[spoil] ^= 1;
        let mut archive = TarReader::new(&*bytes);
        let read = std::iter::from_fn(|| archive.next().transpose()).find(Result::is_err);
        assert!(read.is_some(), "a bit of the header at {spoil}");
    }
}

#[test]
fn what_was_changed_is_told_from_what_is_whole() {
    let scene = Scene::new();
    let whole = fs::read(scene.backup("whole", 300_000)).unwrap();
    #[rustfmt::skip]
    let rows: [(&str, Spoil, &str); 10] = [
        ("nothing",       |_| (),                               ""),
        ("empty",         Vec::clear,                           "it is cut short"),
        ("10 bytes",      |it| it.truncate(10),                 "it is cut short"),
        ("in the header", |it| it.truncate(100),                "it is cut short"),
        ("one byte less", |it| _ = it.pop(),                    "it was altered or cut short"),
        ("half",          |it| it.truncate(it.len() / 2),       "it was altered or cut short"),
        ("one bit",       |it| it[100_000] ^= 1,                "it was altered"),
        ("the last bit",  |it| *it.last_mut().unwrap() ^= 1,    "it was altered or cut short"),
        ("one byte more", |it| it.push(0),                      "it was altered or cut short"),
        ("no age",        |it| it[0] = b'A',
            "this is no backup of Spaceport: it is no age file"),
    ];
    for (what, spoil, want) in rows {
        let mut bytes = whole.clone();
        spoil(&mut bytes);
        let path = scene.folder.path().join("spoiled");
        fs::write(&path, bytes).unwrap();
        let told = scene.verify(&path).map_or_else(|it| it.to_string(), |_| String::new());
        assert_eq!(told, want, "{what}");
    }
    // Where chunks of the encryption end, only what is missing after them is wrong.
    let header = whole.windows(2).position(|it| it == b"\n-").unwrap();
    let begin = header + whole[header + 1..].iter().position(|it| *it == b'\n').unwrap() + 2 + 16;
    let path = scene.folder.path().join("spoiled");
    fs::write(&path, &whole[..begin + 2 * (65_536 + 16)]).unwrap();
    let told = scene.verify(&path).unwrap_err().to_string();
    assert!(told.contains("cut short"), "{told}");
}

#[test]
fn who_has_another_key_is_told_so() {
    let (scene, other) = (Scene::new(), Scene::new());
    let path = scene.backup("one", 10);
    let told = other.verify(&path).unwrap_err();
    assert!(matches!(told, BackupError::WrongKey), "{told}");
    let none = verify_backup(&scene.folder.path().join("none"), &path).unwrap_err();
    assert!(matches!(none, BackupError::Key { .. }), "{none}");
    assert!(verify_backup(scene.folder.path(), &path).is_ok());
    let gone = verify_backup(scene.folder.path(), Path::new("/no/such/file")).unwrap_err();
    assert!(matches!(gone, BackupError::Read { .. }), "{gone}");
}

/// A file of ours in an archive.
fn file(name: &str, contents: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), contents.to_vec())
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, contents) in files {
        add(&mut archive, EntryType::Regular, name.as_bytes(), b"", contents);
    }
    zstd::encode_all(&*archive.into_inner().unwrap(), 1).unwrap()
}

#[test]
fn what_the_key_opens_may_be_no_backup_all_the_same() {
    let scene = Scene::new();
    let unsealed = scene.unsealed(&scene.backup("whole", 100));
    let mut whole = Vec::new();
    let mut archive_of_whole = TarReader::new(&*unsealed);
    while let Some(member) = archive_of_whole.next().unwrap() {
        let mut contents = Vec::new();
        archive_of_whole.read_to_end(&mut contents).unwrap();
        let name = String::from_utf8_lossy(&member.path).into_owned();
        if ["about.json", "manifest.json", "databases/main.dump"].contains(&&*name) {
            whole.push((name, contents));
        }
    }
    let about = whole[0].clone();
    let newer = String::from_utf8(about.1.clone()).unwrap().replace("\"format\":1", "\"format\":2");
    let manifest = |entries: &str| {
        let about = std::str::from_utf8(&about.1).unwrap();
        let text = format!("{{\"about\":{about},\"missing\":[],\"entries\":[{entries}]}}");
        file("manifest.json", text.as_bytes())
    };
    let entry = |path: &str, contents: &[u8]| {
        let sha256 = domain::hex(&<sha2::Sha256 as sha2::Digest>::digest(contents));
        let bytes = contents.len();
        format!(
            "{{\"path\":\"{path}\",\"kind\":\"file\",\"bytes\":{bytes},\"sha256\":\"{sha256}\"}}"
        )
    };
    let first = entry("about.json", &about.1);
    let letter = |contents: &[u8]| entry("volumes/data/letter", contents);
    let of_letter = file("volumes/data/letter", b"dear");
    let listed = format!("{first},{}", letter(b"dear"));
    let swapped = format!("{},{first}", letter(b"dear"));
    let other = format!("{first},{}", letter(b"deer"));
    let mismatch = "it does not hold what its manifest says: ";
    #[rustfmt::skip]
    let rows: [(&str, Vec<u8>, &str); 11] = [
        ("good",      archive(&[about.clone(), of_letter.clone(), manifest(&listed)]), ""),
        ("text",      b"dear operator".to_vec(),
            "this is no backup of Spaceport: what it holds can't be unpacked"),
        ("empty",     archive(&[]),
            "this is no backup of Spaceport: it does not begin with an about.json"),
        ("foreign",   archive(std::slice::from_ref(&of_letter)),
            "this is no backup of Spaceport: it does not begin with an about.json"),
        ("newer",     archive(&[file("about.json", newer.as_bytes())]),
            "it is of the format 2, which this version of Spaceport does not know"),
        ("no end",    archive(&[about.clone(), of_letter.clone()]), "it has no manifest"),
        ("other",     archive(&[about.clone(), of_letter.clone(), manifest(&other)]),
            "its entries are others"),
        ("less",      archive(&[about.clone(), manifest(&listed)]), "its entries are others"),
        ("more",      archive(&[about.clone(), of_letter.clone(), manifest(&first)]),
            "its entries are others"),
        ("order",     archive(&[about.clone(), of_letter.clone(), manifest(&swapped)]),
            "its entries are others"),
        ("after",     archive(&[about.clone(), manifest(&first), of_letter.clone()]),
            "something follows the manifest"),
    ];
    for (what, contents, want) in rows {
        let told = scene.verify(&scene.sealed("made", &contents));
        let told = told.map_or_else(|it| it.to_string(), |_| String::new());
        assert_eq!(told.strip_prefix(mismatch).unwrap_or(&told), want, "{what}");
    }
}

#[test]
fn nothing_is_written_for_somebody_who_has_gone() {
    let scene = Scene::new();
    let gone = Alive::default().token();
    let path = scene.folder.path().join("part");
    // The beginning may still be in a buffer.
    let written = ArchiveWriter::create(&path, &scene.key, about(), gone).and_then(|mut it| {
        it.add_volume("data", &*volume(&noise(2_000_000)))?;
        it.finish()
    });
    assert!(written.is_err());
    let whole = scene.backup("whole", 10);
    let gone = Alive::default().token();
    assert!(verify(&whole, &scene.key, gone).is_err());
}
