//! What the kernel's files say, as numbers. What is not in them is nothing: kernels leave out what they
//! were not built for.

/// Bytes read and written, by `blkio.throttle.io_service_bytes` of the first version.
pub(super) fn io_v1(text: &str) -> (u64, u64) {
    let mut sum = (0_u64, 0_u64);
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        match (words.next(), words.next().map(number)) {
            (Some("Read"), Some(bytes)) => sum.0 = sum.0.saturating_add(bytes),
            (Some("Write"), Some(bytes)) => sum.1 = sum.1.saturating_add(bytes),
            _ => {}
        }
    }
    sum
}

/// Bytes read and written, by `io.stat` of the second version.
pub(super) fn io_v2(text: &str) -> (u64, u64) {
    let mut sum = (0_u64, 0_u64);
    for (name, bytes) in text.split_whitespace().filter_map(|it| it.split_once('=')) {
        match name {
            "rbytes" => sum.0 = sum.0.saturating_add(number(bytes)),
            "wbytes" => sum.1 = sum.1.saturating_add(number(bytes)),
            _ => {}
        }
    }
    sum
}

/// Bytes in and out of all interfaces but the loopback, by `/proc/<pid>/net/dev`.
pub(super) fn network(text: &str) -> (u64, u64) {
    let mut sum = (0_u64, 0_u64);
    for (name, numbers) in text.lines().filter_map(|it| it.split_once(':')) {
        if name.trim() == "lo" {
            continue;
        }
        let mut numbers = numbers.split_whitespace().map(number);
        let (rx, tx) = (numbers.next().unwrap_or(0), numbers.nth(7).unwrap_or(0));
        sum = (sum.0.saturating_add(rx), sum.1.saturating_add(tx));
    }
    sum
}

/// The number behind a name at the beginning of a line.
pub(super) fn field(text: &str, name: &str) -> u64 {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ').map(number);
    text.lines().find_map(value).unwrap_or(0)
}

pub(super) fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_interfaces_but_the_loopback_count() {
        let both = "Inter-|   Receive                    |  Transmit\n \
            face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs\n    \
            lo: 99 9 0 0 0 0 0 0 99 9 0 0 0 0 0 0\n  eth0: 1000 1 0 0 0 0 0 0 2000 2 0 0 0 0 0 0\n  \
            eth1: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n";
        #[rustfmt::skip]
        let rows = [
            (both,                                      (1010, 2020)),
            ("eth0:1000 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0", (1000, 7)), // old kernels have no blank there
            ("eth0: 5\n",                               (5, 0)),
            ("eth0: many\n",                            (0, 0)),
            ("",                                        (0, 0)),
        ];
        for (text, want) in rows {
            assert_eq!(network(text), want, "{text}");
        }
    }

    #[test]
    fn all_disks_count_and_what_is_missing_is_nothing() {
        type Sums = (u64, u64);
        type Row = (fn(&str) -> Sums, &'static str, Sums);
        #[rustfmt::skip]
        let rows: [Row; 7] = [
            (io_v1, "8:0 Read 5\n8:0 Write 6\n8:0 Sync 9\n8:0 Async 2\n8:0 Total 11\n\
                     8:16 Read 1\n8:16 Write 2\n8:16 Total 3\nTotal 14\n",        (6, 8)),
            (io_v1, "Total 0\n",                                                  (0, 0)),
            (io_v1, "",                                                           (0, 0)),
            (io_v2, "8:0 rbytes=5 wbytes=6 rios=9\n8:16 rbytes=1 wbytes=2 dbytes=7\n", (6, 8)),
            (io_v2, "8:0 \n253:0 rbytes=3\n",                                     (3, 0)),
            (io_v2, "8:0 rbytes=18446744073709551615\n8:1 rbytes=1\n",            (u64::MAX, 0)),
            (io_v2, "",                                                           (0, 0)),
        ];
        for (parse, text, want) in rows {
            assert_eq!(parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let stat = "total_inactive_file 1\ninactive_file_x 2\ninactive_file 4096\n";
        assert_eq!(field(stat, "inactive_file"), 4096);
        assert_eq!(field(stat, "total_inactive_file"), 1);
        assert_eq!(field(stat, "anon"), 0);
        assert_eq!(field("", "anon"), 0);
    }
}
