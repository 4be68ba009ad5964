//! What visitors read where no space answers.

use domain::{StepRecord, StepState};

use super::{Bench, body, header, now, space, space_id, status};
use crate::routes::{Route, RouteEntry};

fn starting(title: &str) -> Route {
    let step = |name: &str, state| StepRecord {
        name: name.to_owned(),
        state,
        started_at: now(),
        ended_at: None,
    };
    let steps = [step("create-network", StepState::Done), step("start-web", StepState::Running)];
    Route::Starting { title: title.to_owned(), steps: steps.into() }
}

#[tokio::test]
async fn hosts_without_a_space_are_told_so() {
    let bench = Bench::with_space().await;
    let get = |host: &str| format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
    #[rustfmt::skip]
    let rows = [
        // header lines                                   status
        ("Host: garden.localhost\r\n",                      200),
        ("Host: garden.localhost:8080\r\n",                 200),
        ("Host: GARDEN.localhost.\r\n",                     200),
        ("Host: other.localhost\r\n",                       404),
        ("Host: garden.example.org\r\n",                    404),
        ("Host: deep.garden.localhost\r\n",                 404),
        ("Host: localhost\r\n",                             404),
        ("Host: 127.0.0.1\r\n",                             404),
        ("Host: [::1]:80\r\n",                              404),
        ("",                                                400),
        ("Host: me@garden.localhost\r\n",                   400),
        ("Host: garden.localhost\r\nHost: b.localhost\r\n", 400),
    ];
    for (host, want) in rows {
        let answer = bench.ask(&get(host)).await;
        assert_eq!(status(&answer), want, "{host:?}");
    }
    let answer =
        bench.ask("GET http://garden.localhost/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.await.contains("\nhost: garden.localhost\n"), "the target counts more");
    let connect = "CONNECT garden.localhost:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&bench.ask(connect).await), 405);
}

#[tokio::test]
async fn every_route_has_its_page_and_its_problem() {
    let bench = Bench::new().await;
    let failed = || Route::Failed { reason: "web exited: password=hunter2".to_owned() };
    let unpaid = || Route::Suspended { pay_url: Some("https://edge.example/pay".to_owned()) };
    let suspended = || Route::Suspended { pay_url: None };
    #[rustfmt::skip]
    let rows = [
        (starting("Garden"), 503, Some("1"), "space-starting", "Garden is starting"),
        (Route::Stopped,     503, None,      "space-stopped",  "This space is stopped"),
        (unpaid(),           503, None,      "suspended",      "This space is suspended"),
        (suspended(),        503, None,      "suspended",      "This space is suspended"),
        (failed(),           503, None,      "space-failed",   "This space could not be started"),
        (Route::Removing,    410, None,      "space-gone",     "This space is being removed"),
    ];
    for (route, want_status, want_retry, want_code, want_heading) in rows {
        bench.route(route);
        let page = bench.get("/", "Accept: text/html\r\n").await;
        let problem = bench.get("/", "Accept: application/json\r\n").await;
        for answer in [&page, &problem] {
            assert_eq!(status(answer), want_status, "{answer}");
            assert_eq!(header(answer, "retry-after"), want_retry, "{answer}");
            assert_eq!(header(answer, "cache-control"), Some("no-store"), "{answer}");
            assert!(!answer.contains("hunter2"), "why it failed is its owner's to know");
        }
        assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
        assert!(page.contains(&format!("<h1>{want_heading}</h1>")), "{page}");
        assert_eq!(page.contains("http-equiv=\"refresh\""), want_retry.is_some());
        let policy = header(&page, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");

        assert_eq!(header(&problem, "content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = serde_json::from_str(body(&problem)).unwrap();
        assert_eq!(problem["code"], want_code);
        assert_eq!(problem["status"], want_status);
    }
    let unknown = bench.ask("GET / HTTP/1.0\r\nHost: other.localhost\r\n\r\n").await;
    assert!(unknown.contains("<h1>There is no space here</h1>"), "{unknown}");
    assert!(unknown.contains("No space has the address other.localhost."), "{unknown}");
}

#[tokio::test]
async fn a_starting_space_shows_its_steps_and_its_title_is_only_text() {
    let bench = Bench::new().await;
    bench.route(starting("<script>alert(1)</script>"));
    let page = bench.get("/", "").await;
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&#60;script&#62;"), "{page}");
    assert!(page.contains("<li class=\"done\">create network <span>done</span></li>"), "{page}");
    assert!(page.contains("<li class=\"running\">start web <span>running</span></li>"), "{page}");
}

#[tokio::test]
async fn a_route_counts_from_the_moment_it_is_set() {
    let bench = Bench::new().await;
    assert_eq!(status(&bench.get("/", "").await), 404);
    bench.route(starting("Garden"));
    assert_eq!(status(&bench.get("/", "").await), 503);
    bench.route(Route::Ready { upstream: space::start().await });
    assert_eq!(status(&bench.get("/", "").await), 200);
    bench.routes.remove(&space_id());
    assert_eq!(status(&bench.get("/", "").await), 404);

    let entry = RouteEntry { space: space_id(), route: Route::Removing };
    bench.routes.set(&["shop.example.org".to_owned()], entry);
    let other = bench.ask("GET / HTTP/1.0\r\nHost: shop.example.org\r\n\r\n").await;
    assert_eq!(status(&other), 410);
}

#[tokio::test]
async fn whoever_wants_to_pay_is_told_where() {
    let bench = Bench::new().await;
    bench.route(Route::Suspended { pay_url: Some("https://edge.example/pay?a&b".to_owned()) });
    let page = bench.get("/", "Accept: text/html\r\n").await;
    assert!(page.contains("https://edge.example/pay?a&#38;b"), "{page}");
    let problem = bench.get("/", "Accept: application/json\r\n").await;
    assert!(problem.contains("\"pay_url\":\"https://edge.example/pay?a&b\""), "{problem}");
}
