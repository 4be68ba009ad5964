//! Bills, worked out again from what happened alone, with arithmetic of their own.

use std::collections::BTreeMap;

use billing::Rates;
use records::LineRecord;

use crate::world::World;

/// Month, month of use, meter, and from when on its price was in force.
type Key = (String, String, &'static str, i64);

/// Days of each month since 1970, as a calendar on a wall has them.
fn month_of(at_s: i64) -> (String, i64, i64) {
    let (mut year, mut start_s) = (1970, 0);
    loop {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if is_leap { 29 } else { 28 };
        for (index, days) in
            [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
        {
            let end_s = start_s + days * 86_400;
            if at_s < end_s {
                return (format!("{year}-{:02}", index + 1), start_s, end_s);
            }
            start_s = end_s;
        }
        year += 1;
    }
}

fn price_at(prices: &[(i64, Rates)], at_s: i64) -> (i64, Rates) {
    *prices.iter().rev().find(|it| it.0 <= at_s).expect("the first is in force since ever")
}

/// What a quantity costs: rounded up, once.
fn cost(meter: &str, quantity: u64, rates: &Rates, month_s: i64) -> u64 {
    let (price, unit) = match meter {
        "base" => (rates.base_month, u128::from(month_s.unsigned_abs())),
        "posts" => (rates.post, 1),
        _ => (rates.storage_gib_month, u128::from(month_s.unsigned_abs()) * 1_048_576),
    };
    let product = u128::from(quantity) * u128::from(price.micros());
    u64::try_from(product.div_ceil(unit)).unwrap()
}

/// What every line of a space must be: quantity and amount.
fn lines(world: &World, index: usize, accrued_s: i64) -> BTreeMap<Key, (u64, u64)> {
    let space = &world.spaces[index];
    let mut quantities: BTreeMap<Key, u64> = BTreeMap::new();
    if space.is_free {
        return BTreeMap::new();
    }
    for (from_s, to_s) in &space.periods {
        let end_s = to_s.unwrap_or(i64::MAX).min(accrued_s);
        let mut at_s = *from_s;
        while at_s < end_s {
            let (month, _, month_end_s) = month_of(at_s);
            let (price_s, _) = price_at(&world.prices, at_s);
            let next = world.prices.iter().map(|it| it.0).find(|it| at_s < *it);
            let until_s = end_s.min(month_end_s).min(next.unwrap_or(i64::MAX));
            let key = (month.clone(), month, "base", price_s);
            *quantities.entry(key).or_default() += (until_s - at_s).unsigned_abs();
            at_s = until_s;
        }
    }
    for taken in world.taken.iter().filter(|it| it.space == index) {
        let (used_month, ..) = month_of(taken.at_s);
        let mut month = used_month.clone();
        let mut in_it_s = taken.at_s;
        while taken.closed.contains(&month) {
            in_it_s = month_of(in_it_s).2;
            month = month_of(in_it_s).0;
        }
        let (price_s, rates) = price_at(&world.prices, taken.at_s);
        let free_kib = u64::from(rates.storage_free_gib) * 1_048_576;
        let stored = taken.storage_kib.saturating_sub(free_kib) * taken.seconds;
        let stored = if taken.is_in_period { stored } else { 0 };
        for (meter, more) in [("posts", taken.posts), ("storage", stored)] {
            if more != 0 {
                let key = (month.clone(), used_month.clone(), meter, price_s);
                *quantities.entry(key).or_default() += more;
            }
        }
    }
    let with_cost = |(key, quantity): (Key, u64)| {
        let start = key.1.split_once('-').unwrap();
        let month_s = month_length(start.0.parse().unwrap(), start.1.parse().unwrap());
        let (_, rates) = price_at(&world.prices, key.3);
        let amount = cost(key.2, quantity, &rates, month_s);
        (key, (quantity, amount))
    };
    quantities.into_iter().map(with_cost).collect()
}

fn month_length(year: i64, month: usize) -> i64 {
    let mut at_s = (year - 1970) * 365 * 86_400;
    loop {
        let (name, start_s, end_s) = month_of(at_s);
        if name == format!("{year}-{month:02}") {
            return end_s - start_s;
        }
        at_s = end_s;
    }
}

/// Compares every bill and every balance with what follows from what happened. Returns how many lines
/// and invoices that were.
pub(crate) async fn compare(world: &World) -> (usize, usize) {
    let (mut n_lines, mut n_invoices) = (0, 0);
    for (index, space) in world.spaces.iter().enumerate() {
        let record = world.record(index).await;
        assert_eq!(periods(world, index).await, space.periods, "space {index}");
        let want = lines(world, index, record.standing.accrued_at.unix_s());
        let mut months: Vec<String> = want.keys().map(|it| it.0.clone()).collect();
        months.dedup();
        let mut found = BTreeMap::new();
        let (mut charged, mut due) = (0, 0);
        for month in &months {
            let lines = world.records.lines(&space.id, month.parse().unwrap()).await.unwrap();
            for line in lines {
                charged += line.charged.micros();
                due += line.amount.micros() - line.charged.micros();
                let quantity_and_amount = (line.quantity, line.amount.micros());
                found.insert(key(&line), quantity_and_amount);
            }
        }
        assert_eq!(found, want, "space {index}: {space:?}");
        n_lines += found.len();
        for invoice in world.records.invoices(&space.id).await.unwrap() {
            let month = invoice.month.to_string();
            let total: u64 = want.iter().filter(|it| it.0.0 == month).map(|it| it.1.1).sum();
            assert_eq!(invoice.total.micros(), total, "space {index}, {month}");
            n_invoices += 1;
        }
        let paid = paid(world, index).await;
        assert_eq!(paid, charged, "space {index}: ledger and lines");
        assert!(due == 0 || world.balance(index).await == 0 || record.owed().is_zero());
    }
    let audit = world.records.audit(world.now).await.unwrap();
    assert!(audit.is_balanced(), "{audit:#?}");
    (n_lines, n_invoices)
}

fn key(line: &LineRecord) -> Key {
    let from_s = if line.price.version == 1 { i64::MIN } else { line.price.valid.from_s };
    (line.month.to_string(), line.used_month.to_string(), line.meter.as_str(), from_s)
}

/// When the records say that a space cost something.
async fn periods(world: &World, index: usize) -> Vec<(i64, Option<i64>)> {
    let statement = format!(
        "SELECT from_s, to_s FROM periods WHERE space = '{}' ORDER BY from_s",
        world.spaces[index].id
    );
    let rows = world.ask(&statement).await;
    rows.iter().map(|row| (row.integer(0), row.optional_integer(1))).collect()
}

/// What the ledger says was paid for use.
async fn paid(world: &World, index: usize) -> u64 {
    let statement = format!(
        "SELECT coalesce(sum(amount), 0) FROM transfers WHERE kind = 'usage' AND debit = 'space:{}'",
        world.spaces[index].id
    );
    world.ask(&statement).await[0].unsigned(0)
}
