//! In which seconds a space costs its base price.

use crate::Month;

/// From when to when, in Unix seconds; without an end if it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first second.
    pub from_s: i64,
    /// The first second after it.
    pub to_s: Option<i64>,
}

/// How many seconds of `periods` are in `month`, from `valid_from_s` on and before `until_s`.
#[must_use]
pub fn base_quantity(periods: &[Period], month: Month, valid: Valid, until_s: i64) -> u64 {
    let begin_s = month.start_s().max(valid.from_s);
    let end_s = month.end_s().min(until_s).min(valid.to_s.unwrap_or(i64::MAX));
    let seconds = periods.iter().map(|it| {
        let (from_s, to_s) = (it.from_s.max(begin_s), it.to_s.unwrap_or(i64::MAX).min(end_s));
        if from_s < to_s { to_s.abs_diff(from_s) } else { 0 }
    });
    seconds.fold(0, u64::saturating_add)
}

/// From when to when a price is in force, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valid {
    /// Its first second.
    pub from_s: i64,
    /// The first second of the one after it, if there is one.
    pub to_s: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_where_period_month_price_and_time_meet() {
        let month: Month = "2026-11".parse().unwrap();
        let (start, end) = (month.start_s(), month.end_s());
        let ever = Valid { from_s: i64::MIN, to_s: None };
        let from = |from_s| Valid { from_s, to_s: None };
        let to = |to_s| Valid { from_s: i64::MIN, to_s: Some(to_s) };
        let open = |from_s| vec![Period { from_s, to_s: None }];
        let closed = |from_s, to_s| vec![Period { from_s, to_s: Some(to_s) }];
        #[rustfmt::skip]
        let rows = [
            (vec![],                            ever,              end,         0),
            (open(start - 5),                   ever,              start + 10,  10),
            (open(start + 5),                   ever,              start + 10,  5),
            (open(start + 5),                   ever,              start + 5,   0),
            (open(start + 5),                   ever,              start,       0),
            (open(start - 5),                   ever,              end + 99,    month.len_s()),
            (open(end),                         ever,              end + 99,    0),
            (closed(start - 9, start),          ever,              end,         0),
            (closed(start - 9, start + 1),      ever,              end,         1),
            (closed(start + 7, start + 7),      ever,              end,         0),
            (open(start),                       from(start + 60),  start + 100, 40),
            (open(start),                       to(start + 60),    start + 100, 60),
            (open(start),                       to(start - 60),    start + 100, 0),
            ([closed(start, start + 3), open(start + 9)].concat(), ever, start + 10, 4),
        ];
        for (periods, valid, until_s, want) in rows {
            let quantity = base_quantity(&periods, month, valid, until_s);
            assert_eq!(quantity, want, "{periods:?} {valid:?} {}", until_s - start);
        }
    }
}
