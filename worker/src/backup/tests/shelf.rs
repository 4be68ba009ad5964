//! Where backups are, and for how long.

use std::time::Duration;

use domain::Generation;

use super::*;
use crate::files::SpaceFiles;

#[tokio::test]
async fn a_record_counts_once_its_file_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (shelf, files) = (Shelf::new(folder.path()), SpaceFiles::open(folder.path()).unwrap());
    let path = shelf.make_room(&space(1), NOW).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(file, "final-1700000000.tar.zst.age");
    let folder = path.parent().unwrap();
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    let record = FinalBackup { file: file.clone(), generation: Generation(7) };
    fs::write(Shelf::part_of(&path), "part").unwrap();
    files.write_final_backup(&space(1), &record).await.unwrap();
    assert_eq!(files.look(&space(1)).unwrap().final_backup, Some(record));
    assert!(!shelf.has(&space(1), &file).unwrap());
    Shelf::keep(&path).unwrap();
    assert!(shelf.has(&space(1), &file).unwrap());
    // Another in the same second gets another name, and what is cut short goes.
    fs::write(Shelf::part_of(&path), "part").unwrap();
    let next = shelf.make_room(&space(1), NOW).unwrap();
    assert!(next.ends_with("final-1700000001.tar.zst.age"), "{}", next.display());
    assert!(!Shelf::part_of(&path).exists());
}

#[test]
fn backups_are_kept_for_their_time_and_listed_as_long() {
    let scene = Scene::new();
    let shelf = Shelf::new(scene.folder.path());
    assert_eq!(shelf.remove_expired(NOW, Duration::ZERO).unwrap(), 0, "there is no folder yet");
    assert!(list_backups(scene.folder.path()).unwrap().is_empty());

    let day = Duration::from_hours(24);
    let (old, new) = (space(1), space(2));
    for (space, at) in [(&old, NOW), (&new, NOW.plus(day))] {
        let path = shelf.make_room(space, at).unwrap();
        fs::rename(scene.backup("made", 10), Shelf::part_of(&path)).unwrap();
        Shelf::keep(&path).unwrap();
    }
    let torn = shelf.make_room(&new, NOW).unwrap();
    fs::write(&torn, "torn").unwrap();
    fs::write(torn.with_file_name("letter.txt"), "not ours").unwrap();
    let listed = list_backups(scene.folder.path()).unwrap();
    let names: Vec<_> = listed.iter().map(|it| it.name.as_ref().ok().cloned()).collect();
    let garden = Some(Some("garden".to_owned()));
    assert_eq!(names, [garden.clone(), None, garden], "by space and time, whatever one is");
    assert_eq!(listed[0].space, old);

    let removed = |at| shelf.remove_expired(at, day.saturating_mul(30)).unwrap();
    assert_eq!(removed(NOW.plus(day.saturating_mul(30))), 0);
    assert_eq!(removed(NOW.plus(day.saturating_mul(30)).plus(Duration::from_secs(1))), 2);
    assert!(!shelf.folder().join(old.as_str()).exists(), "nothing is left of it");
    assert_eq!(list_backups(scene.folder.path()).unwrap().len(), 1);
}
