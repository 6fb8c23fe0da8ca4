//! What policy has passed still needs somebody who answers it.

use gateway::{stage::Permitted, upstream::Upstream};

async fn call(upstream: &Upstream, permitted: &Permitted) {
    let _ = upstream.call(permitted).await;
}

fn main() {}
