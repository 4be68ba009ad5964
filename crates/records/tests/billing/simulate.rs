//! Months of many spaces, with all that goes wrong; and then every bill against what happened.
//!
//! `SPACEPORT_BILLING=<spaces>x<days>x<seed>` runs another one than the usual ones, such as 1000x48x1.

use std::time::Instant;

use billing::Rates;
use domain::{Money, ObservedState};
use fleet::Reading;
use records::Wish;

use crate::{
    recompute::compare,
    world::{QUARTER_S, World},
};

/// The evening of 14 November 2026.
const START_S: i64 = 1_794_700_000;

fn rates(chance: u64) -> Rates {
    let money = |micros: u64| Money::from_micros(micros).unwrap();
    match chance {
        0 => Rates::FREE,
        _ => Rates {
            base_month: money(1_000_000 + chance * 777_777),
            post: money(3_333 * chance),
            storage_gib_month: money(100_001 * chance),
            storage_free_gib: u32::try_from(chance % 3).unwrap(),
        },
    }
}

/// Lets a quarter of an hour pass, and all that happens in it happen.
async fn pass(world: &mut World, n_spaces: u64, away: &mut Vec<(usize, Reading, bool)>) {
    let was = world.now.unix_s();
    world.set_clock(was + QUARTER_S);
    world.hello().await;
    // A thousand are there within five days.
    for _ in 0..=n_spaces / 200 {
        if world.spaces.len() < usize::try_from(n_spaces).unwrap() && world.chance.once_in(3) {
            world.create().await;
        }
    }
    for index in 0..world.spaces.len() {
        if world.spaces[index].is_gone {
            continue;
        }
        match world.chance.below(2000) {
            0..=15 => world.see(index, ObservedState::Ready).await,
            16..=18 => world.want(index, Wish::Suspend("x".to_owned())).await,
            19..=26 => world.want(index, Wish::Resume("x".to_owned())).await,
            27 => world.want(index, Wish::Delete).await,
            28..=29 => world.see(index, ObservedState::Halted).await,
            30..=33 => world.see(index, ObservedState::Stopped).await,
            34..=40 => {
                let micros = 1 + world.chance.below(6_000_000);
                world.give(index, micros).await;
            }
            _ => {}
        }
        // A host's clock may be wrong by hours, or by years.
        let wrong_s = match world.chance.below(500) {
            0 => -40_000_000,
            1 => 90_000_000,
            2..=4 => -9000,
            _ => 0,
        };
        let reading = world.measure(index, was + wrong_s);
        away.push((index, reading, true));
    }
    // Hosts are away for hours or for weeks, and tell what they told before.
    let is_told = 40_000 < away.len() || !world.chance.once_in(40);
    if is_told && !world.chance.once_in(3) {
        world.tell(away).await;
        let again = usize::try_from(world.chance.below(50)).unwrap();
        let again: Vec<_> = away.iter().rev().take(again).cloned().collect();
        let again: Vec<_> = again.into_iter().map(|(space, it, _)| (space, it, false)).collect();
        world.tell(&again).await;
        away.clear();
    }
    if world.chance.once_in(600) {
        let chance = world.chance.below(5);
        world.announce(rates(chance)).await;
    }
    if world.chance.once_in(3) {
        world.bill().await;
        if world.chance.once_in(4) {
            world.bill().await;
        }
    }
    // Now and then the edge's clock goes back, or ahead by a little.
    match world.chance.below(900) {
        0 => world.set_clock(world.now.unix_s() - 20_000),
        1 => world.set_clock(world.now.unix_s() + 3600),
        _ => {}
    }
}

async fn run(n_spaces: u64, n_days: i64, seed: u64) -> (usize, usize) {
    let mut world = World::new(seed, START_S).await;
    world.announce(rates(seed % 5)).await;
    let mut away = Vec::new();
    for _ in 0..n_days * 86_400 / QUARTER_S {
        pass(&mut world, n_spaces, &mut away).await;
    }
    world.tell(&away).await;
    world.bill().await;
    let compared = compare(&world).await;
    // Whatever was done twice changes nothing.
    world.bill().await;
    assert_eq!(compare(&world).await, compared);
    compared
}

#[tokio::test]
async fn every_bill_is_what_follows_from_what_happened() {
    for seed in 1..=2 {
        println!("seed {seed}");
        let (n_lines, n_invoices) = run(6, 33, seed).await;
        assert!(6 < n_lines && 0 < n_invoices, "{seed}: {n_lines} lines, {n_invoices} invoices");
    }
}

#[tokio::test]
#[ignore = "takes minutes: scripts/bench billing runs it"]
async fn a_month_of_a_thousand_spaces() {
    #[expect(clippy::disallowed_methods, reason = "whoever runs it says so")]
    let said = std::env::var("SPACEPORT_BILLING").unwrap_or_else(|_| "1000x48x1".to_owned());
    let numbers: Vec<u64> = said.split('x').map(|it| it.parse().unwrap()).collect();
    let [n_spaces, n_days, seed] = numbers[..] else { panic!("{said} is not 1000x48x1") };
    let began = Instant::now();
    let (n_lines, n_invoices) = run(n_spaces, n_days.cast_signed(), seed).await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find(|it| it.starts_with("VmHWM")).unwrap();
    println!(
        "{n_spaces} spaces, {n_days} days, seed {seed}: {n_lines} lines and {n_invoices} invoices \
         are equal; {:.1?}, {memory}",
        began.elapsed()
    );
}
