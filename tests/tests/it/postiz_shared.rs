//! Two spaces of Postiz on one Postgres and one Temporal: what each has, and what none reaches.

use e2e::{Object, exec, psql, service};
use serde_json::json;

use crate::postiz_scene::Scene;

/// Who may open which database, and what Temporal knows.
const ROLES: &str = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'spc-%' ORDER BY 1";
const DATABASES: &str = "SELECT datname FROM pg_database WHERE datname LIKE 'spc-%' ORDER BY 1";
const NAMESPACES: &str = "SELECT name FROM namespaces WHERE name LIKE 'spc-%' ORDER BY 1";

/// What a space is called where only a DNS label will do: `SPACE_ID` in its template.
fn label_of(space: &str) -> String {
    space.to_ascii_lowercase().replace('_', "-")
}

#[test]
fn spaces_on_one_database_server_have_a_database_each_and_reach_no_other() {
    let scene = Scene::new(|_| ());
    let spaces = ["first", "second"].map(|it| scene.create("postiz-shared", it, it));
    for space in &spaces {
        scene.tenant.wait_for(space, "running");
    }
    let label = format!("spaceport.state={}", scene.installation.id().unwrap());
    let postgres = service(&label, "postgres");
    one_stack(&label);
    let mut ids = spaces.each_ref().map(|it| label_of(it));
    ids.sort();
    let everywhere = || {
        let look = |database, sql| psql(&postgres, "postgres", database, sql);
        [look("postgres", DATABASES), look("temporal", NAMESPACES), look("postgres", ROLES)]
    };
    let all = |ids: &[String]| {
        let roles: Vec<_> =
            ids.iter().flat_map(|it| [it.clone(), format!("{it}-timers")]).collect();
        [ids.join("\n"), ids.join("\n"), roles.join("\n")]
    };
    assert_eq!(everywhere(), all(&ids));

    let [first, second] = &spaces;
    each_opens_its_own_only(&postgres, first, second);
    each_sees_its_own_timers_only(&scene, &postgres, first, second);

    scene.tenant.delete_and_wait(first);
    assert_eq!(everywhere(), all(&[label_of(second)]), "nothing is left of the deleted one");
    let given = scene.credentials(second);
    let login = json!({
        "provider": "LOCAL", "email": given.field("username"), "password": given.field("password"),
    });
    let answer = scene.post("second", "/api/auth/login", &login);
    assert_eq!(answer.status, 200, "the other one works on: {}", answer.text);
    scene.tenant.delete_and_wait(second);
    assert_eq!(everywhere(), [const { String::new() }; 3]);
}

/// The containers of the host's services, once each, whoever needs them.
fn one_stack(label: &str) {
    let objects = Object::labelled(label);
    for name in ["postgres", "temporal"] {
        let n_found = objects.iter().filter(|it| it.label("spaceport.service") == name).count();
        assert_eq!(n_found, 1, "{name}");
    }
}

/// With the credentials that a space has, from where it is.
fn each_opens_its_own_only(postgres: &Object, own: &str, other: &str) {
    let postiz = service(&format!("spaceport.space={own}"), "postiz");
    let (own, other) = (&*label_of(own), &*label_of(other));
    // The script is the same for all; which database, it reads from its environment.
    let script = "psql -qXAt -c 'SELECT current_database()' \
        \"$(echo \"$DATABASE_URL\" | cut -d/ -f1-3)/$1\"";
    let open = |database: &str| exec(&postiz, &["sh", "-c", script, "sh", database]);
    assert_eq!(open(own).stdout.trim_end(), own);
    for database in [other, "postgres", "template1", "temporal", "temporal_visibility"] {
        let refused = open(database);
        assert_eq!(refused.code, Some(2), "{database}: {refused:?}");
        assert!(refused.stderr.contains("permission denied for database"), "{refused:?}");
    }
    // The role that reads timers has no password, so nobody gets in by it from outside.
    let timers = format!("postgresql://{own}-timers:x@postgres/temporal");
    let refused = exec(&postiz, &["psql", "-qXAt", "-c", "SELECT 1", &timers]);
    assert!(refused.stderr.contains("password authentication failed"), "{refused:?}");
    let is_owner = format!(
        "SELECT pg_get_userbyid(datdba) = datname AND NOT rolsuper AND NOT rolcreatedb \
         AND NOT rolcreaterole FROM pg_database JOIN pg_roles ON rolname = datname \
         WHERE datname = '{own}'"
    );
    assert_eq!(psql(postgres, "postgres", "postgres", &is_owner), "t");
}

fn each_sees_its_own_timers_only(scene: &Scene, postgres: &Object, first: &str, second: &str) {
    for (day, space, workflow) in [
        (1, second, "post_1"),
        (2, first, "missing-post-workflow"),
        (3, first, "post_2"),
        (4, first, "post_3"),
    ] {
        let space = label_of(space);
        let row = format!(
            "INSERT INTO timer_tasks SELECT 1, '2031-01-0{day}', {day}, \
             convert_to(encode(id, 'hex')::uuid::text || '{workflow}', 'UTF8'), 'Proto3' \
             FROM namespaces WHERE name = '{space}'"
        );
        psql(postgres, "postgres", "temporal", &row);
    }
    for (space, day) in [(first, "2031-01-03"), (second, "2031-01-01")] {
        let seen = scene.query(space, "timers")["value"].clone();
        assert!(seen.as_str().is_some_and(|it| it.starts_with(day)), "{space}: {seen}");
    }
}
