//! What a space of Postiz used, beside what was done in it by hand.

use std::{process::Command, time::Duration};

use e2e::{Installation, Kind, Object, eventually, exec, psql, run, service};
use serde_json::Value;

use crate::postiz_scene::Scene;

/// How often a reading is made.
const METER_SECONDS: u32 = 3;
/// How long it may take until what happened is told.
const TELL_TIME_MAX: Duration = Duration::from_secs(40);
/// How long a test watches that nothing is counted twice.
const WATCH: Duration = Duration::from_secs(3 * METER_SECONDS as u64);
/// What the databases write of their own accord while a test looks, and the places of a decimal.
const NOISE_KIB: f64 = 4096.0;

/// Seven posts that the networks take within eight seconds, one with a comment; and what is none.
const POSTS: &str = r#"
INSERT INTO "Integration" (id, "organizationId", disabled)
  SELECT 'on', id, false FROM "Organization";
INSERT INTO "Post" (id, state, "publishDate", "organizationId", "integrationId", "parentPostId")
  SELECT 'sent ' || n, 'PUBLISHED', (now() AT TIME ZONE 'utc') + n * interval '1 second', o.id, 'on', NULL
  FROM "Organization" o, generate_series(2, 8) AS n;
INSERT INTO "Post" (id, state, "publishDate", "organizationId", "integrationId", "parentPostId")
  SELECT it.id, it.state::"State", (now() AT TIME ZONE 'utc') + interval '3 seconds', o.id, 'on', it.parent
  FROM "Organization" o, (VALUES
    ('a comment', 'PUBLISHED', 'sent 2'), ('wrong', 'ERROR', NULL), ('a draft', 'DRAFT', NULL),
    ('waiting', 'QUEUE', NULL)
  ) AS it (id, state, parent);
"#;

fn scene() -> (Scene, String) {
    let seconds = METER_SECONDS.to_string();
    let installation = Installation::default().with_options(&["--meter-seconds", &seconds]);
    let scene = Scene::on(installation, |_| ());
    let space = scene.create("postiz", "busy", "Busy");
    scene.tenant.wait_for(&space, "running");
    (scene, space)
}

/// What was measured this month, as soon as there is any.
fn usage(scene: &Scene, space: &str) -> Value {
    let mut found = Value::Null;
    eventually(TELL_TIME_MAX, || {
        let answer = scene.tenant.get(&format!("/v1/spaces/{space}/usage?window=month"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        found = answer.json["items"][0].clone();
        if found.is_object() { Ok(()) } else { Err(answer.text) }
    });
    found
}

#[test]
fn posts_are_counted_once_by_what_the_networks_took() {
    let (mut scene, space) = scene();
    let postgres = service(&format!("spaceport.space={space}"), "postgres");
    psql(&postgres, "postiz", "postiz", POSTS);
    let counted = |scene: &Scene| usage(scene, &space)["posts"].as_u64().unwrap();
    eventually(TELL_TIME_MAX, || {
        let counted = counted(&scene);
        if 3 <= counted { Ok(()) } else { Err(format!("{counted}")) }
    });
    // In the middle of it the worker and the edge are killed, and the clock runs on.
    scene.installation.kill();
    scene.installation.up();
    scene.tenant = scene.tenant.at(&scene.installation.edge());
    eventually(TELL_TIME_MAX, || {
        let counted = counted(&scene);
        if counted == 7 { Ok(()) } else { Err(format!("{counted}")) }
    });
    std::thread::sleep(WATCH);
    assert_eq!(counted(&scene), 7);
}

/// What the volumes and the containers' own layers take by `du`, in KiB.
fn du_kib(space: &str) -> f64 {
    let label = format!("spaceport.space={space}");
    let folders = Object::labelled(&label).into_iter().filter_map(|it| {
        let folder = match it.kind {
            Kind::Volume => &it.inspected["Mountpoint"],
            Kind::Container => &it.inspected["GraphDriver"]["Data"]["UpperDir"],
            Kind::Network => return None,
        };
        Some(folder.as_str().unwrap().to_owned())
    });
    let sizes = folders.map(|folder| {
        let output = run(Command::new("du").args(["--summarize", "--block-size=1024", &folder]));
        // What goes away while it counts is no matter.
        let size = output.stdout.split_whitespace().next();
        size.and_then(|it| it.parse::<f64>().ok()).unwrap_or_else(|| panic!("{output:?}"))
    });
    sizes.sum()
}

/// Storage in KiB-seconds and for how many seconds it is known, since the space began.
fn stored(usage: &Value) -> (f64, f64) {
    let seconds = usage["measured_seconds"].as_f64().unwrap();
    let average: f64 = usage["storage_gib_avg"].as_str().unwrap().parse().unwrap();
    (average * 1024.0 * 1024.0 * seconds, seconds)
}

/// What the readings said of storage between two looks, in KiB.
fn between(before: &Value, after: &Value) -> f64 {
    let ((was, was_s), (is, is_s)) = (stored(before), stored(after));
    (is - was) / (is_s - was_s)
}

#[test]
fn storage_is_what_the_disk_says() {
    let (scene, space) = scene();
    let postiz = service(&format!("spaceport.space={space}"), "postiz");
    for (file, mib) in [("/uploads/film", 64), ("/tmp/scratch", 32)] {
        let write = format!("dd if=/dev/urandom of={file} bs=1M count={mib} && sync {file}");
        let written = exec(&postiz, &["sh", "-c", &write]);
        assert_eq!(written.code, Some(0), "{written:?}");
    }
    let next = |before: &Value| {
        let mut after = Value::Null;
        eventually(TELL_TIME_MAX, || {
            after = usage(&scene, &space);
            let is_later = stored(before).1 + f64::from(2 * METER_SECONDS) <= stored(&after).1;
            if is_later { Ok(()) } else { Err(format!("{after}")) }
        });
        after
    };
    // The first readings may be of before it was written.
    let begin = next(&usage(&scene, &space));
    let end = next(&begin);
    let (told, truth) = (between(&begin, &end), du_kib(&space));
    println!("told {told:.0} KiB, du says {truth} KiB");
    assert!(96.0 * 1024.0 < truth, "{truth} KiB");
    assert!((told - truth).abs() < NOISE_KIB, "told {told} KiB, and du says {truth} KiB");
}
