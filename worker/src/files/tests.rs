//! Files of a space: made once, read by who has the key, and gone when they are removed.

use std::os::unix::fs::PermissionsExt as _;

use domain::Timestamp;

use super::*;

fn space(n: u8) -> SpaceId {
    SpaceId::new(Timestamp::from_unix_ms(0), [n; 10])
}

fn wanted() -> BTreeMap<String, u16> {
    BTreeMap::from([("DB_PASSWORD".to_owned(), 24), ("SALT".to_owned(), 8)])
}

#[tokio::test]
async fn secrets_are_made_once_and_read_by_who_has_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
    files.write_secrets(&space(1), wanted()).await.unwrap();
    let secrets = files.secrets(&space(1)).await.unwrap();
    assert_eq!(secrets["DB_PASSWORD"].len(), 48);
    assert_eq!(secrets["SALT"].len(), 16);

    // The same worker started again makes no others.
    let files = SpaceFiles::open(folder.path()).unwrap();
    files.write_secrets(&space(1), wanted()).await.unwrap();
    assert_eq!(files.secrets(&space(1)).await.unwrap(), secrets);
    files.write_secrets(&space(2), wanted()).await.unwrap();
    assert_ne!(files.secrets(&space(2)).await.unwrap(), secrets);
}

#[tokio::test]
async fn secrets_are_of_no_use_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    files.write_secrets(&space(1), wanted()).await.unwrap();
    let path = folder.path().join("spaces").join(space(1).as_str()).join("secrets");
    let sealed = fs::read(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = folder.path().join("secrets.key");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);

    // In another space's place.
    files.write_secrets(&space(2), wanted()).await.unwrap();
    let other = folder.path().join("spaces").join(space(2).as_str()).join("secrets");
    fs::write(other, &sealed).unwrap();
    assert!(matches!(files.secrets(&space(2)).await, Err(FilesError::Sealed)));
    // With another key.
    fs::write(folder.path().join("secrets.key"), [7; 32]).unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    assert!(matches!(files.secrets(&space(1)).await, Err(FilesError::Sealed)));
    // Cut short.
    fs::write(&path, &sealed[..10]).unwrap();
    assert!(matches!(files.secrets(&space(1)).await, Err(FilesError::Sealed)));
}

#[tokio::test]
async fn what_is_removed_is_gone_and_may_be_removed_again() {
    let folder = tempfile::tempdir().unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
    files.mark_ready(&space(1), "one").await.unwrap();
    let release = Some("one".to_owned());
    let want = Seen { has_any: true, was_ready: true, release, ..Seen::default() };
    assert_eq!(files.look(&space(1)).unwrap(), want);
    assert_eq!(files.spaces().unwrap(), [space(1)]);
    files.remove(&space(1)).await.unwrap();
    files.remove(&space(1)).await.unwrap();
    assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
}

#[tokio::test]
async fn the_first_ticket_takes_the_credentials_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    let ticket = |name: &str, until| TicketUse {
        sha256: name.to_owned(),
        until: Timestamp::from_unix_ms(until),
    };
    let (first, second) = (ticket("one", 1), ticket("two", 2));
    // A space without files is one that goes.
    assert!(matches!(files.take_credentials(&space(1), &first).await, Err(FilesError::Io(_))));
    assert_eq!(files.look(&space(1)).unwrap(), Seen::default());

    files.mark_first_admin(&space(1)).await.unwrap();
    for (asked, want) in [(&first, &first), (&second, &first), (&first, &first)] {
        assert_eq!(files.take_credentials(&space(1), asked).await.unwrap(), *want);
    }
    let files = SpaceFiles::open(folder.path()).unwrap();
    assert_eq!(files.take_credentials(&space(1), &second).await.unwrap(), first);
    // Half a record is not taken for none.
    let record = folder.path().join("spaces").join(space(1).as_str()).join("credentials");
    fs::write(record, "{").unwrap();
    assert!(matches!(files.take_credentials(&space(1), &first).await, Err(FilesError::Io(_))));
}

#[tokio::test]
async fn files_that_cannot_be_seen_are_not_taken_for_gone() {
    let folder = tempfile::tempdir().unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    files.mark_ready(&space(1), "one").await.unwrap();
    // Whoever runs this may be root, to whom no file is closed: a file in the place of a folder
    // can't be looked into by anybody.
    let own = folder.path().join("spaces").join(space(1).as_str());
    fs::remove_dir_all(&own).unwrap();
    fs::write(&own, "").unwrap();
    assert!(matches!(files.look(&space(1)), Err(FilesError::Io(_))));
    fs::remove_dir_all(folder.path().join("spaces")).unwrap();
    assert!(matches!(files.look(&space(1)), Err(FilesError::Io(_))));
    assert!(matches!(files.spaces(), Err(FilesError::Io(_))));
}

#[test]
fn a_key_that_is_none_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.key");
    fs::write(&path, b"short").unwrap();
    assert!(matches!(SpaceFiles::open(folder.path()), Err((at, _)) if at == path));
    assert_eq!(fs::read(&path).unwrap(), b"short");
}
