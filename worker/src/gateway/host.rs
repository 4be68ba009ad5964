//! Which host a request is for.

use http::{Request, header, uri::Authority};

/// The request does not say in one way which host it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request needs exactly one valid Host")]
pub(super) struct BadHost;

/// The authority that a request is for, as the client wrote it: `Garden.localhost:8080`.
///
/// The target of the request counts more than its `Host`. Source: RFC 9112 §3.2, RFC 9113 §8.3.1.
///
/// # Errors
/// [`BadHost`].
pub(super) fn authority<B>(request: &Request<B>) -> Result<Authority, BadHost> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(BadHost);
    }
    let authority = match (request.uri().authority(), host) {
        (Some(authority), _) => authority.clone(),
        (None, Some(host)) => Authority::try_from(host.as_bytes()).map_err(|_| BadHost)?,
        (None, None) => return Err(BadHost),
    };
    if authority.as_str().contains('@') { Err(BadHost) } else { Ok(authority) }
}

/// The host of `authority` as routes are keyed by it: lower case, no port, no final dot.
pub(super) fn route_key(authority: &Authority) -> String {
    let host = authority.host();
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uri: &str, hosts: &[&str]) -> Result<String, BadHost> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        authority(&request.body(()).unwrap()).map(|it| route_key(&it))
    }

    #[test]
    fn hosts() {
        #[rustfmt::skip]
        let rows: &[(&str, &[&str], Result<&str, BadHost>)] = &[
            // target                   Host headers                     want
            ("/",                       &["garden.localhost"],           Ok("garden.localhost")),
            ("/",                       &["garden.localhost:8080"],      Ok("garden.localhost")),
            ("/",                       &["GARDEN.LocalHost"],           Ok("garden.localhost")),
            ("/",                       &["garden.localhost."],          Ok("garden.localhost")),
            ("/",                       &["garden.localhost.:80"],       Ok("garden.localhost")),
            ("/",                       &["garden.localhost.."],         Ok("garden.localhost.")),
            ("/",                       &["garden.example.org"],         Ok("garden.example.org")),
            ("/",                       &["a.b.c.example.org"],          Ok("a.b.c.example.org")),
            ("/",                       &["127.0.0.1:8080"],             Ok("127.0.0.1")),
            ("/",                       &["[::1]:8080"],                 Ok("[::1]")),
            ("http://garden.localhost", &["other.localhost"],            Ok("garden.localhost")),
            ("http://garden.localhost", &[],                             Ok("garden.localhost")),
            ("/",                       &[],                             Err(BadHost)),
            ("/",                       &[""],                           Err(BadHost)),
            ("/",                       &["a.localhost", "a.localhost"], Err(BadHost)),
            ("http://garden.localhost", &["a.localhost", "b.localhost"], Err(BadHost)),
            ("/",                       &["garden localhost"],           Err(BadHost)),
            ("/",                       &["me@garden.localhost"],        Err(BadHost)),
            ("/",                       &["garden.localhost/x"],         Err(BadHost)),
        ];
        for (uri, hosts, want) in rows {
            let want = want.map(str::to_owned);
            assert_eq!(key(uri, hosts), want, "{uri} {hosts:?}");
        }
    }
}
