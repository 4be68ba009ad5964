//! Ports, disk, names and clock of this machine.

use std::{io::ErrorKind, net::SocketAddr, path::Path, time::Duration};

use domain::Timestamp;
use reqwest::header;
use time::{PrimitiveDateTime, macros::format_description};
use tokio::net::{TcpListener, lookup_host};
use url::Url;

use super::Finding;
use crate::{client::http_client, clock, files, serve::url_of};

/// Less free disk than this does not hold the images of an app and its data.
const DISK_GIB_FAIL: u64 = 1;
const DISK_GIB_WARN: u64 = 5;

/// A clock that differs more than this from the edge's has sign-ins refused.
const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(30);

/// No right clock shows an earlier time than the one this was written at.
const WRITTEN_AT: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

/// How long an edge may take to tell its time.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// Whether one can listen there.
pub(super) async fn port(name: &'static str, addr: SocketAddr, flag: &str) -> Finding {
    match TcpListener::bind(addr).await {
        Ok(_) => Finding::ok(name, format!("{addr} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::warn(
            name,
            format!("{addr} is in use"),
            format!("stop what listens there, or choose another address with {flag}"),
        ),
        Err(error) => Finding::fail(
            name,
            format!("cannot listen on {addr} ({error})"),
            format!("choose another address with {flag}"),
        ),
    }
}

/// How much room there is for the state. Images are usually on the same disk.
pub(super) fn disk(state: &Path) -> Finding {
    let existing = state.ancestors().find(|it| it.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(existing) {
        Ok(stat) => room(stat.f_bavail.saturating_mul(stat.f_frsize) >> 30),
        Err(error) => Finding::warn(
            "disk",
            format!("cannot see how much room there is ({error})"),
            format!("see that there are {DISK_GIB_WARN} GiB"),
        ),
    }
}

fn room(free_gib: u64) -> Finding {
    let (message, fix) = (format!("{free_gib} GiB free"), "make room for images and data");
    if free_gib < DISK_GIB_FAIL {
        Finding::fail("disk", message, fix)
    } else if free_gib < DISK_GIB_WARN {
        Finding::warn("disk", message, fix)
    } else {
        Finding::ok("disk", message)
    }
}

/// Whether the state can be kept there.
pub(super) fn state(folder: &Path) -> Finding {
    let shown = folder.display();
    // It need not be made for that.
    let made = folder.ancestors().find(|it| it.exists()).unwrap_or(Path::new("/"));
    match tempfile::tempfile_in(made) {
        Ok(_) if made == folder && files::is_open_to_others(folder).unwrap_or(false) => {
            let fix = format!("chmod 700 {shown}");
            Finding::warn("state", format!("others may look into {shown}"), fix)
        }
        Ok(_) => Finding::ok("state", format!("{shown} can be written")),
        Err(error) => Finding::fail(
            "state",
            format!("cannot write {shown} ({error})"),
            "choose another folder with --state",
        ),
    }
}

/// Whether programs here find the spaces of a laptop by name. Browsers do without the system's help.
pub(super) async fn names() -> Finding {
    let found = lookup_host(("spaceport-doctor.localhost", 80)).await;
    match found.map(|mut addrs| addrs.all(|it| it.ip().is_loopback())) {
        Ok(true) => Finding::ok("names", "*.localhost is this machine"),
        Ok(false) => Finding::warn(
            "names",
            "*.localhost is another machine",
            "have your name server leave localhost to this machine",
        ),
        Err(_) => Finding::warn(
            "names",
            "the system does not resolve *.localhost; browsers and curl do",
            "elsewhere send the Host header to the gateway's address (or install libnss-myhostname)",
        ),
    }
}

/// Whether the clock is right, compared with the edge's if one answers.
pub(super) async fn clock(edge: SocketAddr) -> Finding {
    let now = clock::now();
    let fix = "set the clock (timedatectl set-ntp true)";
    if now < WRITTEN_AT {
        return Finding::fail("clock", format!("it cannot be {now}"), fix);
    }
    let Some(theirs) = time_at(&url_of(edge)).await else {
        return Finding::ok("clock", format!("{now}; no edge answers to compare it with"));
    };
    let difference = now.since(theirs).max(theirs.since(now));
    if difference <= CLOCK_DIFFERENCE_MAX {
        return Finding::ok("clock", format!("{now}, as at the edge"));
    }
    Finding::warn("clock", format!("it is {now} here and {theirs} at the edge"), fix)
}

/// The time that a server tells with its answers.
async fn time_at(server: &str) -> Option<Timestamp> {
    let url = Url::parse(server).ok()?.join("/healthz").ok()?;
    let request = http_client(&url).ok()?.get(url).timeout(ANSWER_TIME_MAX);
    let answer = request.send().await.ok()?;
    http_date(answer.headers().get(header::DATE)?.to_str().ok()?)
}

/// Reads a time as HTTP tells it. Source: RFC 9110 §5.6.7, the preferred form.
fn http_date(text: &str) -> Option<Timestamp> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let at = PrimitiveDateTime::parse(text, format).ok()?.assume_utc();
    Some(Timestamp::from_unix_ms(at.unix_timestamp().checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Level;

    #[test]
    fn dates_of_http_are_read() {
        let want = Timestamp::from_unix_ms(784_111_777_000);
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(want));
        assert_eq!(http_date("1994-11-06T08:49:37Z"), None);
    }

    #[test]
    fn how_much_room_is_enough() {
        #[rustfmt::skip]
        let rows = [
            (0, Level::Fail), (1, Level::Warn), (4, Level::Warn), (5, Level::Ok), (900, Level::Ok),
        ];
        for (free_gib, want) in rows {
            assert_eq!(room(free_gib).level, want, "{free_gib}");
        }
        assert_ne!(disk(Path::new("/nowhere/yet")).message, "");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_only_a_warning() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        assert_eq!(port("edge port", addr, "--edge").await.level, Level::Warn);
        drop(listener);
        assert_eq!(port("edge port", addr, "--edge").await.level, Level::Ok);
        let foreign = "192.0.2.1:80".parse().unwrap();
        assert_eq!(port("edge port", foreign, "--edge").await.level, Level::Fail);
    }

    #[test]
    fn a_state_is_tried_without_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        assert_eq!(state(&new).level, Level::Ok);
        assert!(!new.exists());
        assert_eq!(state(Path::new("/proc/nowhere")).level, Level::Fail);
    }
}
