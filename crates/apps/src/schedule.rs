//! When a backup is made.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{Timestamp, tz::TimeZone};

/// Whether `schedule` is cron of five fields that has a time at all.
pub(crate) fn check(schedule: &str) -> Result<(), String> {
    const FORM: &str = "cron has five fields: minute, hour, day, month, weekday";
    if schedule.split_ascii_whitespace().count() != 5 {
        return Err(FORM.to_owned());
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(schedule).map_err(|error| format!("is no cron: {error}"))?;
    // 30 February is a date that never comes.
    let any = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    cron.find_next_occurrence(&any, false).map_err(|_| "never comes".to_owned())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_five_fields_that_come_true() {
        let right =
            ["0 3 * * *", "*/15 * * * *", "0 0 1 1 *", "30 4 * * 1-5", "0 0 29 2 *", "0 0 * * MON"];
        for schedule in right {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
        let fields = "cron has five fields: minute, hour, day, month, weekday";
        let wrong = [
            ("", fields),
            ("daily", fields),
            ("@daily", fields),
            ("0 3 * *", fields),
            ("0 0 3 * * *", fields),
            ("0 0 0 3 * * 2027", fields),
            ("60 3 * * *", "is no cron: "),
            ("0 24 * * *", "is no cron: "),
            ("0 0 0 * *", "is no cron: "),
            ("0 0 * 13 *", "is no cron: "),
            ("0 0 * * 8", "is no cron: "),
            ("a b c d e", "is no cron: "),
            ("0 3 * * ; rm", fields),
            ("0 0 30 2 *", "never comes"),
        ];
        for (schedule, start) in wrong {
            let error = check(schedule).unwrap_err();
            assert!(error.starts_with(start) && !error.contains('\n'), "{schedule}: {error}");
        }
    }
}
