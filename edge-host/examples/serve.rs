//! temporary
use std::time::{Duration, Instant};
fn main() {
    let t = Instant::now();
    let a: Vec<String> = std::env::args().collect();
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let edge = edge_host::Edge::start(edge_host::EdgeOptions {
            manifest: a[1].clone().into(), runtime_config: None, state_dir: a[2].clone().into(),
            variables: Default::default(), listen: a[3].parse().unwrap(), on_write: None,
        }).await.unwrap();
        println!("started in {:?} on {}", t.elapsed(), edge.addr());
        tokio::time::sleep(Duration::from_secs(a[4].parse().unwrap())).await;
    });
}
