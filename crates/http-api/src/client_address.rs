//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The address of the client, as far as those who say it are to be believed.
///
/// The host of our components says who is connected to it, in the last `spin-client-addr`: what a
/// client sends under that name comes first. If that is one of our own proxies, the last address in
/// `X-Forwarded-For` that is not a proxy of ours is the client; all before it, anybody can write.
pub(crate) fn client_address(headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|it| it.contains(address));
    let peer = headers.get_all("spin-client-addr").iter().next_back()?;
    let peer: SocketAddr = peer.to_str().ok()?.parse().ok()?;
    let peer = peer.ip().to_canonical();
    if !is_proxy(&peer) {
        return Some(peer);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter();
    let forwarded: Vec<&str> =
        forwarded.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).collect();
    let mut nearest = peer;
    for text in forwarded.into_iter().rev() {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            break;
        }
    }
    Some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxies: Vec<IpNet> =
            ["10.0.0.0/8", "127.0.0.1/32"].iter().map(|it| it.parse().unwrap()).collect();
        #[rustfmt::skip]
        let rows: [(&[&str], &[&str], Option<&str>); 11] = [
            // peer                            X-Forwarded-For                       client
            (&["192.0.2.1:4"],                 &[],                                  Some("192.0.2.1")),
            (&["192.0.2.1:4"],                 &["192.0.2.9"],                       Some("192.0.2.1")),
            (&["6.6.6.6:6", "192.0.2.1:4"],    &[],                                  Some("192.0.2.1")),
            (&["127.0.0.1:4"],                 &[],                                  Some("127.0.0.1")),
            (&["127.0.0.1:4"],                 &["192.0.2.9"],                       Some("192.0.2.9")),
            (&["127.0.0.1:4"],                 &["6.6.6.6, 192.0.2.9"],              Some("192.0.2.9")),
            (&["127.0.0.1:4"],                 &["6.6.6.6", "192.0.2.9, 10.1.1.1"],  Some("192.0.2.9")),
            (&["127.0.0.1:4"],                 &["192.0.2.9, nonsense"],             Some("127.0.0.1")),
            (&["127.0.0.1:4"],                 &["10.2.2.2, 10.1.1.1"],              Some("10.2.2.2")),
            (&["[::ffff:127.0.0.1]:4"],        &["2001:db8::1"],                     Some("2001:db8::1")),
            (&[],                              &["192.0.2.9"],                       None),
        ];
        for (peers, forwarded, want) in rows {
            let mut headers = HeaderMap::new();
            for peer in peers {
                headers.append("spin-client-addr", peer.parse().unwrap());
            }
            for text in forwarded {
                headers.append("x-forwarded-for", text.parse().unwrap());
            }
            let want = want.map(|it| it.parse().unwrap());
            assert_eq!(client_address(&headers, &proxies), want, "{peers:?} {forwarded:?}");
        }
    }
}
