//! Networks.

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use reconcile::{DesiredStack, Failure};

use super::{
    Engine,
    error::{failed, shown},
    labels::network_name,
    subnet::{Block, routed},
};

/// How many subnets are tried that look free and that Docker then refuses.
const TRIES_MAX: usize = 16;

const DOING: &str = "create the network";

impl Engine {
    /// Makes the network of a space on a subnet that nobody uses.
    pub(super) async fn create_network(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let _choosing = self.choosing_subnet.lock().await;
        let name = network_name(&desired.space);
        let networks = self.docker.list_networks(None).await.map_err(|it| failed(DOING, it))?;
        // Old engines would make a second network of the same name, so we look ourselves.
        if let Some(same) = networks.iter().find(|it| it.name.as_deref() == Some(name.as_str())) {
            let labels = same.labels.clone().unwrap_or_default();
            let is_ours = self.labels.are_of(&labels, &desired.space);
            return if is_ours { Ok(()) } else { Err(Failure::Foreign { kind: "network", name }) };
        }
        let blocks = networks.into_iter().filter_map(|it| it.ipam?.config).flatten();
        let mut used: Vec<Block> = blocks.filter_map(|it| it.subnet?.parse().ok()).collect();
        let routes = tokio::fs::read_to_string("/proc/net/route").await.unwrap_or_default();
        used.extend(routed(&routes));

        let mut refused = None;
        for block in self.subnets.free(used, desired.space.as_str()).take(TRIES_MAX) {
            let request = NetworkCreateRequest {
                name: name.clone(),
                driver: Some("bridge".to_owned()),
                // What is filtered is IPv4, and Docker can be told to make IPv6 networks by default.
                enable_ipv6: Some(false),
                ipam: Some(Ipam {
                    config: Some(vec![IpamConfig {
                        subnet: Some(block.to_string()),
                        ..IpamConfig::default()
                    }]),
                    ..Ipam::default()
                }),
                labels: Some(self.labels.network(&desired.space, desired.generation)),
                ..NetworkCreateRequest::default()
            };
            match self.docker.create_network(request).await {
                Ok(_) => return Ok(()),
                Err(bollard::errors::Error::DockerResponseServerError { message, .. })
                    if message.to_ascii_lowercase().contains("overlap") =>
                {
                    refused = Some(message);
                }
                Err(error) => return Err(failed(DOING, error)),
            }
        }
        Err(match refused {
            None => Failure::NoFreeNetwork { pool: self.subnets.to_string() },
            Some(said) => Failure::Host { doing: DOING.to_owned(), said: shown(&said) },
        })
    }
}
