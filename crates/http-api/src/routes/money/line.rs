//! Lines of a bill as clients see them.

use billing::{KIB_OF_GIB, Meter};
use domain::Money;
use records::LineRecord;
use serde::Serialize;

/// A line of a bill: `amount` is `quantity` times `unit_price`, divided by `per`, rounded up to the µUSD
/// once.
#[derive(Debug, Serialize)]
pub(super) struct LineView {
    pub(super) meter: &'static str,
    /// The month it was used in.
    pub(super) used_month: String,
    pub(super) quantity: u64,
    /// What is counted: `second`, `post`, `kib-second`.
    pub(super) unit: &'static str,
    pub(super) unit_price: Money,
    /// For how many of these the unit price is.
    pub(super) per: u64,
    /// The same for people.
    pub(super) shown: String,
    pub(super) price_version: u64,
    pub(super) amount: Money,
    /// What of it was taken from the balance.
    pub(super) charged: Money,
}

impl From<&LineRecord> for LineView {
    fn from(line: &LineRecord) -> Self {
        Self {
            meter: line.meter.as_str(),
            used_month: line.used_month.to_string(),
            quantity: line.quantity,
            unit: match line.meter {
                Meter::Base => "second",
                Meter::Posts => "post",
                Meter::Storage => "kib-second",
            },
            unit_price: line.meter.unit_price(&line.price.rates),
            per: line.meter.unit(line.used_month),
            shown: shown(line),
            price_version: line.price.version,
            amount: line.amount,
            charged: line.charged,
        }
    }
}

fn shown(line: &LineRecord) -> String {
    match line.meter {
        Meter::Base => {
            let (days, rest) = (line.quantity / 86_400, line.quantity % 86_400);
            let (hours, minutes, seconds) = (rest / 3600, rest % 3600 / 60, rest % 60);
            format!("{days} d {hours:02}:{minutes:02}:{seconds:02}")
        }
        Meter::Posts if line.quantity == 1 => "1 post".to_owned(),
        Meter::Posts => format!("{} posts", line.quantity),
        Meter::Storage => {
            let gib_month = u128::from(KIB_OF_GIB) * u128::from(line.used_month.len_s());
            format!("{} GiB-months", decimal(line.quantity.into(), gib_month, 6))
        }
    }
}

/// A quotient with so many places, the rest cut off.
pub(super) fn decimal(amount: u128, of: u128, places: u32) -> String {
    let scale = 10_u128.pow(places);
    let scaled = amount.saturating_mul(scale) / of.max(1);
    let (whole, part) = (scaled / scale, scaled % scale);
    format!("{whole}.{part:0width$}", width = usize::try_from(places).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_their_places() {
        #[rustfmt::skip]
        let rows = [
            (0, 1,    3, "0.000"),
            (1, 3,    3, "0.333"),
            (2, 3,    6, "0.666666"),
            (7, 2,    1, "3.5"),
            (1, 0,    2, "1.00"),
            (5, 1000, 3, "0.005"),
        ];
        for (amount, of, places, want) in rows {
            assert_eq!(decimal(amount, of, places), want, "{amount}/{of}");
        }
    }
}
