//! Which headers go through and what the gateway says in them itself.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header, uri::Authority};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers about one connection only, whether or not `Connection` names them.
///
/// Source: RFC 9110 §7.6.1; the `Proxy-` ones by RFC 9110 §11.7.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes what is about one connection only.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> =
        tokens(headers, &header::CONNECTION).filter_map(|it| it.parse().ok()).collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    headers.remove("proxy-connection");
}

/// The protocol that a client of HTTP/1.1 would like to change to, if it may change at all.
pub(super) fn upgrade_wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_named =
        tokens(headers, &header::CONNECTION).any(|it| it.eq_ignore_ascii_case("upgrade"));
    headers.get(header::UPGRADE).filter(|_| is_named).cloned()
}

/// Asks for (or grants) a change to `protocol`.
pub(super) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Makes the headers of a client's request those of ours to a space.
pub(super) fn forward(
    headers: &mut HeaderMap,
    authority: &Authority,
    client: IpAddr,
    is_https: bool,
) {
    remove_hop_by_hop(headers);
    // We answered it ourselves, by reading the body.
    headers.remove(header::EXPECT);
    // What a client claims about how it came here must not pass for what we know.
    let claims: Vec<HeaderName> = headers.keys().filter(|it| is_claim(it)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
    join_cookies(headers);

    let host = HeaderValue::from_str(authority.as_str()).expect("an authority is visible ASCII");
    let client = HeaderValue::from_str(&client.to_canonical().to_string());
    headers.insert(FORWARDED_FOR, client.expect("an IP address is visible ASCII"));
    headers.insert(FORWARDED_HOST, host.clone());
    let proto = if is_https { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
    headers.insert(header::HOST, host);
}

fn is_claim(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-forwarded-") || *name == header::FORWARDED || *name == "x-real-ip"
}

/// HTTP/2 may send cookies one by one, HTTP/1.1 may not. Source: RFC 9113 §8.2.3.
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if 1 < cookies.len() {
        let joined = HeaderValue::from_bytes(&cookies.join(&b"; "[..]));
        headers.insert(header::COOKIE, joined.expect("each of them was valid"));
    }
}

/// The elements of a comma-separated header.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|it| it.to_str().ok());
    lines.flat_map(|it| it.split(',')).map(str::trim).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = &'static [(&'static str, &'static str)];

    fn map(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn forwarded(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = map(rows);
        let authority = Authority::from_static("garden.localhost:8080");
        forward(&mut headers, &authority, "::ffff:203.0.113.9".parse().unwrap(), false);
        headers
    }

    #[test]
    fn a_space_is_told_how_its_visitors_come() {
        for (is_https, want) in [(true, "https"), (false, "http")] {
            let mut headers = map(&[("x-forwarded-proto", "gopher")]);
            let authority = Authority::from_static("garden.example.org");
            forward(&mut headers, &authority, "203.0.113.9".parse().unwrap(), is_https);
            assert_eq!(headers, {
                let mut want_headers = map(&OURS);
                let authority = HeaderValue::from_static("garden.example.org");
                want_headers.insert(FORWARDED_HOST, authority.clone());
                want_headers.insert(header::HOST, authority);
                want_headers.insert(FORWARDED_PROTO, HeaderValue::from_static(want));
                want_headers
            });
        }
    }

    const OURS: [(&str, &str); 4] = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "garden.localhost:8080"),
        ("x-forwarded-proto", "http"),
        ("host", "garden.localhost:8080"),
    ];

    #[test]
    fn what_a_space_is_sent() {
        #[rustfmt::skip]
        let rows: &[(&str, Rows, Rows)] = &[
            ("ordinary headers go through",
             &[("accept", "*/*"), ("authorization", "Bearer x"), ("trailer", "x-sum")],
             &[("accept", "*/*"), ("authorization", "Bearer x"), ("trailer", "x-sum")]),
            ("hop-by-hop headers do not",
             &[("keep-alive", "1"), ("te", "trailers"), ("upgrade", "h2c"), ("proxy-connection", "x"),
               ("proxy-authorization", "x"), ("transfer-encoding", "chunked"), ("expect", "100-continue")],
             &[]),
            ("nor what Connection names",
             &[("connection", "close, X-One"), ("connection", "x-two"), ("x-one", "1"), ("x-two", "2"), ("x-three", "3")],
             &[("x-three", "3")]),
            ("a client says nothing about itself",
             &[("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/x"),
               ("x-forwarded-anything", "x"), ("forwarded", "for=127.0.0.1"), ("x-real-ip", "127.0.0.1"), ("host", "evil")],
             &[]),
            ("cookies are one header",
             &[("cookie", "a=1"), ("cookie", "b=2; c=3")],
             &[("cookie", "a=1; b=2; c=3")]),
            ("other headers may repeat",
             &[("x-one", "1"), ("x-one", "2")],
             &[("x-one", "1"), ("x-one", "2")]),
        ];
        for (name, sent, want) in rows {
            let want: Vec<_> = OURS.iter().chain(*want).copied().collect();
            assert_eq!(forwarded(sent), map(&want), "{name}");
        }
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        #[rustfmt::skip]
        let rows: &[(Rows, Option<&str>)] = &[
            (&[("connection", "Upgrade"), ("upgrade", "websocket")],             Some("websocket")),
            (&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")], Some("websocket")),
            (&[("connection", "upgrade")],                                       None),
            (&[("upgrade", "websocket")],                                        None),
            (&[("connection", "x-upgrade"), ("upgrade", "websocket")],           None),
        ];
        for (sent, want) in rows {
            let got = upgrade_wanted(&map(sent));
            assert_eq!(got.as_ref().map(|it| it.to_str().unwrap()), *want, "{sent:?}");
        }
    }
}
