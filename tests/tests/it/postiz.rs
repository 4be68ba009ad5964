//! Postiz by its own template, with images that stand in for the real ones: see docs/POSTIZ.md for
//! what that shows and what it does not.

use std::{path::Path, time::Duration};

use e2e::{eventually, exec, psql, service};
use serde_json::{Value, json};

use crate::postiz_scene::Scene;

/// What nobody should run. A shell, SQL and YAML each have something in it.
const TITLE: &str = r#"$(touch /tmp/owned)`id`"';-- ${JWT_SECRET}: é"#;

/// How long a test watches what must not happen.
const WATCH: Duration = Duration::from_secs(10);
/// Long enough for a space that is made while others are.
const CHANGE_TIME_MAX: Duration = Duration::from_mins(2);

/// What somebody sends who wants to be the admin of a space that isn't his.
fn registration() -> Value {
    json!({ "provider": "LOCAL", "email": "m@example.org", "password": "mine", "company": "Mine" })
}

#[test]
fn nobody_registers_before_the_owner_and_only_the_owner_gets_the_password() {
    let scene = Scene::new(|_| ());
    let space = scene.create("postiz", "garden", TITLE);

    // A stranger tries from before there is anything until after it is open.
    eventually(CHANGE_TIME_MAX, || {
        let answer = scene.post("garden", "/api/auth/register", &registration());
        assert!(!answer.status.is_success(), "{} {}", answer.status, answer.text);
        let phase = scene.tenant.space(&space)["phase"].clone();
        assert_ne!(phase, "failed", "{}", scene.tenant.space(&space));
        if phase == "running" { Ok(()) } else { Err(format!("{phase}")) }
    });
    eventually(CHANGE_TIME_MAX, || {
        let answer = scene.post("garden", "/api/auth/register", &registration());
        let is_closed =
            (answer.status.as_u16(), &*answer.text) == (400, "Registration is disabled");
        if is_closed { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text)) }
    });

    let given = scene.credentials(&space);
    assert_eq!(given.status, 200, "{}", given.text);
    assert_eq!(given.field("username"), "admin@garden.localhost");
    let mut login = json!({ "provider": "LOCAL", "email": given.field("username") });
    login["password"] = json!("not it");
    assert_eq!(scene.post("garden", "/api/auth/login", &login).status, 400);
    login["password"] = json!(given.field("password"));
    let answer = scene.post("garden", "/api/auth/login", &login);
    assert_eq!((answer.status.as_u16(), answer.json), (200, json!({ "login": true })));
    assert_eq!(scene.credentials(&space).status, 410, "the password is given out once");

    title_is_data(&scene, &space);
    temporal_came_first(&space);
    scene.tenant.delete_and_wait(&space);
}

fn title_is_data(scene: &Scene, space: &str) {
    assert!(!Path::new("/tmp/owned").exists(), "it ran on this machine");
    let label = format!("spaceport.space={space}");
    for name in ["postiz", "postgres", "temporal"] {
        let found = exec(&service(&label, name), &["sh", "-c", "! test -e /tmp/owned"]);
        assert_eq!(found.code, Some(0), "it ran in {name}");
    }
    let companies = "SELECT name FROM \"Organization\"";
    let stored = psql(&service(&label, "postgres"), "postiz", "postiz", companies);
    assert_eq!(stored, format!("{TITLE} team"));
    assert_eq!(scene.tenant.space(space)["title"], TITLE);
}

/// Postiz tried once to reach Temporal, and Temporal had its namespace by then.
fn temporal_came_first(space: &str) {
    let label = format!("spaceport.space={space}");
    let started = |name: &str| {
        let state = service(&label, name).inspected["State"].clone();
        // What is ready by the app's own word may not have been looked at by Docker yet.
        assert_ne!(state["Health"]["Status"], "unhealthy", "{name}: {state}");
        state["StartedAt"].as_str().unwrap().to_owned()
    };
    let order = ["postgres", "temporal", "postiz"].map(started);
    assert!(order.is_sorted(), "{order:?}");
    assert!(started("redis") < order[2], "redis was not there before {order:?}");
}

#[test]
fn a_space_whose_worker_never_polls_does_not_run() {
    let scene = Scene::new(|apps| {
        // Nobody listens there. Postiz serves all the same.
        let (right, wrong) = ("TEMPORAL_ADDRESS: temporal:7233", "TEMPORAL_ADDRESS: temporal:7234");
        apps.change("postiz/compose.yaml", right, wrong);
        apps.change("postiz/app.toml", "timeout_seconds = 600", "timeout_seconds = 30");
    });
    let space = scene.create("postiz", "silent", "Silent");
    eventually(CHANGE_TIME_MAX, || {
        let label = format!("spaceport.space={space}");
        let mut there = e2e::Object::labelled(&label).into_iter();
        let container = there.find(|it| it.label("spaceport.service") == "postiz");
        let container = container.ok_or("there is no container yet")?;
        let check = container.inspected["Config"]["Healthcheck"]["Test"].as_array().unwrap();
        let check: Vec<&str> = check[1..].iter().map(|it| it.as_str().unwrap()).collect();
        // Postiz itself says that it is well.
        let ran = exec(&container, &check);
        if ran.code == Some(0) { Ok(()) } else { Err(format!("{ran:?}")) }
    });
    let failed = scene.tenant.wait_for(&space, "failed");
    let reason = failed["reason"].to_string();
    assert!(reason.contains("temporal"), "the owner reads what was waited for: {reason}");
}

#[test]
fn where_mail_is_on_the_owner_logs_in_without_any() {
    let scene = Scene::new(|apps| {
        let mail = "EMAIL_PROVIDER=nodemailer\nEMAIL_HOST=mail.invalid\n";
        apps.set_operator_values("postiz", mail);
    });
    let space = scene.create("postiz", "mailed", "Mailed");
    scene.tenant.wait_for(&space, "running");
    let given = scene.credentials(&space);
    let login = json!({
        "provider": "LOCAL", "email": given.field("username"), "password": given.field("password"),
    });
    eventually(WATCH, || {
        let answer = scene.post("mailed", "/api/auth/login", &login);
        if answer.status == 200 { Ok(()) } else { Err(answer.text) }
    });
}

/// Rows of a tenant who has posts. Times are hours from now.
const ROWS: &str = r#"
INSERT INTO "Integration" (id, "organizationId", disabled, "tokenExpiration")
  SELECT it.id, o.id, it.off, (now() AT TIME ZONE 'utc') + it.hours * interval '1 hour'
  FROM "Organization" o, (VALUES ('on', false, 50), ('off', true, 90)) AS it (id, off, hours);
INSERT INTO "Post" (id, state, "publishDate", "organizationId", "integrationId", "parentPostId")
  SELECT it.id, it.state::"State", (now() AT TIME ZONE 'utc') + it.hours * interval '1 hour', o.id,
    it.integration, it.parent
  FROM "Organization" o, (VALUES
    ('sent', 'PUBLISHED', -0.02, 'on', NULL), ('sent too', 'PUBLISHED', -0.01, 'on', NULL),
    ('a comment', 'PUBLISHED', -0.01, 'on', 'sent'), ('old', 'PUBLISHED', -2000, 'on', NULL),
    ('late', 'QUEUE', -1, 'on', NULL), ('wrong', 'ERROR', -1, 'on', NULL),
    ('planned', 'DRAFT', 1, 'on', NULL), ('switched off', 'QUEUE', 2, 'off', NULL),
    ('next', 'QUEUE', 24, 'on', NULL), ('later', 'QUEUE', 48, 'on', NULL)
  ) AS it (id, state, hours, integration, parent);
INSERT INTO "AutoPost" (id, "organizationId", active) SELECT 'feed', id, true FROM "Organization";
"#;

#[test]
fn what_was_sent_is_counted_and_what_comes_next_is_known() {
    let scene = Scene::new(|_| ());
    let space = scene.create("postiz", "busy", "Busy");
    scene.tenant.wait_for(&space, "running");
    let query = |name: &str| scene.query(&space, name);
    for signal in ["next_post", "token_refresh"] {
        assert_eq!(query(signal)["value"], Value::Null, "{signal}");
    }
    for count in ["overdue", "autoposts", "posts"] {
        assert_eq!(query(count)["value"], 0, "{count}");
    }

    let postgres = service(&format!("spaceport.space={space}"), "postgres");
    psql(&postgres, "postiz", "postiz", ROWS);
    let timer = "INSERT INTO timer_tasks VALUES \
        (1, '2031-01-01', 1, 'x32049b68-7872-4094-8e63-d0dd59896a83x', 'Proto3'), \
        (1, '2031-01-02', 2, 'x-missing-post-workflow-x', 'Proto3'), \
        (1, '2031-01-03', 3, 'x-post_1-x', 'Proto3')";
    psql(&postgres, "postiz", "temporal", timer);

    let hours = |name: &str| {
        let due = query(name)["value"].as_str().unwrap().to_owned();
        let sql = format!("SELECT round(extract(epoch FROM '{due}'::timestamptz - now()) / 3600)");
        psql(&postgres, "postiz", "postiz", &sql)
    };
    assert_eq!(hours("next_post"), "24");
    assert_eq!(hours("token_refresh"), "50");
    assert!(query("timers")["value"].as_str().unwrap().starts_with("2031-01-03"));
    assert_eq!(query("overdue")["value"], 1);
    assert_eq!(query("autoposts")["value"], 1);
    assert_eq!(query("posts")["value"], 2, "posts of this month, not their comments");
}
