//! What is filtered, line by line, and where it is put among the rules of others.

use super::*;

const POOL: &str = "10.213.0.0/16";

const DOCKER_ONLY: &str = "*filter\n:INPUT ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n\
                           -A DOCKER-USER -j RETURN\nCOMMIT\n";

fn chains() -> Chains {
    Chains::of("0123456789abcdef")
}

/// The lines of `text` that change who is asked first.
fn hooks(text: &str) -> Vec<&str> {
    let is_hook = |it: &&str| it.starts_with("-I ") || it.starts_with("-D ");
    text.lines().filter(is_hook).collect()
}

#[test]
fn chains_are_named_by_the_state_and_short_enough() {
    for id in ["0123456789abcdef", "life-7", "a-state-of-a-longer-name", "spaced id", "other id"] {
        let Chains { hooked: [input, forward], .. } = Chains::of(id);
        let is_named = id.len() <= ID_LEN_MAX && !id.contains(' ');
        assert_eq!(input == format!("SPACEPORT-{id}-I"), is_named, "{id}");
        assert!(input.len() <= 28 && forward.len() <= 28, "{input} {forward}");
        assert!(input != forward && !input.contains(' '), "{input} {forward}");
    }
    assert_ne!(Chains::of("spaced id"), Chains::of("other id"));
}

#[test]
fn what_docker_does_not_filter_is_not_filtered_by_us() {
    assert!(has_docker_chain(DOCKER_ONLY));
    assert!(!has_docker_chain("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"));
    assert!(!has_docker_chain("*filter\n:DOCKER-USERS - [0:0]\nCOMMIT\n"));
}

#[test]
fn what_a_space_sends_is_judged_in_this_order() {
    let text = to_apply(&chains(), POOL, &[Ipv4Addr::new(10, 0, 0, 2)], DOCKER_ONLY);
    assert_eq!(text, include_str!("applied.txt"));
}

#[test]
fn the_rules_stand_in_front_once() {
    let Chains { hooked: [input, forward], .. } = &chains();
    let jumps = [format!("-s {POOL} -j {input}"), format!("-s {POOL} -j {forward}")];
    let insert =
        [format!("-I INPUT 1 {}", jumps[0]), format!("-I DOCKER-USER 1 {}", jumps[1])].to_vec();
    let table = |input_rules: &[&str]| {
        let rules: Vec<_> = input_rules.iter().map(|it| format!("-A INPUT {it}\n")).collect();
        let rules = rules.concat();
        format!("{DOCKER_ONLY}{rules}-A DOCKER-USER {}\n", jumps[1])
    };
    let delete = format!("-D INPUT {}", jumps[0]);
    let old = format!("-s 10.99.0.0/16 -j {input}");
    let delete_old = format!("-D INPUT {old}");
    let other = "-s 10.213.0.0/16 -j SPACEPORT-ffff-I";
    #[rustfmt::skip]
    let rows = [
        (table(&[&jumps[0]]),                      vec![]),
        (table(&[other, &jumps[0], "-j DROP"]),    vec![]),
        (table(&["-i lo -j ACCEPT", &jumps[0]]),   vec![&*delete, &insert[0]]),
        (table(&[&jumps[0], &jumps[0]]),           vec![&*delete, &delete, &insert[0]]),
        (table(&[&old]),                           vec![&*delete_old, &insert[0]]),
        (table(&[]),                               vec![&*insert[0]]),
    ];
    for (table, want) in rows {
        // The second hook has a rule of Docker's own in front, so it is always put right.
        let text = to_apply(&chains(), POOL, &[], &table);
        let of_input: Vec<_> =
            hooks(&text).into_iter().filter(|it| it.contains(" INPUT ")).collect();
        assert_eq!(of_input, want, "{table}");
    }
    assert_eq!(hooks(&to_apply(&chains(), POOL, &[], DOCKER_ONLY)), insert);
}

#[test]
fn what_is_removed_is_this_installation_s() {
    let Chains { hooked: [input, forward], refuse } = &chains();
    assert_eq!(to_remove(&chains(), DOCKER_ONLY), None);
    let table = format!(
        "*filter\n:INPUT ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n:{input} - [0:0]\n:{forward} - [0:0]\n\
         :{refuse} - [0:0]\n:SPACEPORT-ffff-I - [0:0]\n-A INPUT -s {POOL} -j SPACEPORT-ffff-I\n\
         -A INPUT -s {POOL} -j {input}\n-A DOCKER-USER -s {POOL} -j {forward}\n\
         -A DOCKER-USER -j RETURN\n-A {input} -d 0.0.0.0/0 -j REJECT\nCOMMIT\n"
    );
    let want = format!(
        "*filter\n-D INPUT -s {POOL} -j {input}\n-D DOCKER-USER -s {POOL} -j {forward}\n\
         -F {input}\n-F {forward}\n-F {refuse}\n-X {input}\n-X {forward}\n-X {refuse}\nCOMMIT\n"
    );
    assert_eq!(to_remove(&chains(), &table).as_deref(), Some(&*want));
}
