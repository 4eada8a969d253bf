//! What this machine can do without us: the bare parts that the product is made of, measured in the same run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use songda::domain::clock::Stopwatch;

use crate::load::per_second;
use crate::{Bench, Measured};

/// Calls of a second that the product's own HTTP client gets through to the gateway, with nothing around it.
#[expect(clippy::disallowed_methods, reason = "the bare client is what the product's is compared with")]
pub async fn client(bench: &Bench, calls: usize, delay: Duration) -> Measured<f64> {
    const SLOTS: usize = 64;
    const MESSAGE: &str = "&SignName=%E9%87%91%E5%9D%9B%E6%94%BF%E5%8A%A1&TemplateCode=SMS_100000002&TemplateParam=%7B%22name%22%3A%22%E7%A4%BE%E4%BC%9A%E4%BF%9D%E9%9A%9C%E5%8D%A1%22%2C%22status%22%3A%22%E5%87%86%E4%BA%88%22%7D";
    bench.sink.reset(delay);
    let (client, url) = (reqwest::Client::new(), format!("http://{}/", bench.sink.address));
    let next = AtomicUsize::new(0);
    let watch = Stopwatch::start();
    let slots = (0..SLOTS).map(async |_| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= calls {
                return Measured::Ok(());
            }
            let body = format!("PhoneNumbers={}{MESSAGE}", 13_000_000_000 + number);
            client.post(&url).body(body).send().await?.error_for_status()?.bytes().await?;
        }
    });
    try_join_all(slots).await?;
    Ok(per_second(calls, watch.elapsed()))
}
