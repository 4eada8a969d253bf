//! Each process reaches PostgreSQL, Redis and the gateways through separate proxies, so that one process can be cut off
//! while the others are not.

use std::net::SocketAddr;

use reqwest::Url;
use songda::domain::kernel::clock::random_below;
use tokio::net::TcpListener;

use crate::support::proxy::Proxy;

/// The proxies of one process.
pub struct Proxies {
    pub database: Proxy,
    pub redis: Proxy,
    /// One for all gateways.
    pub gateways: Proxy,
}

impl Proxies {
    /// Starts the proxies of this many processes.
    pub async fn start(count: usize, [postgres, redis]: [SocketAddr; 2], sandbox: SocketAddr) -> Vec<Self> {
        let mut started = Vec::new();
        for _ in 0..count {
            started.push(Self {
                database: Proxy::before(postgres).await,
                redis: Proxy::before(redis).await,
                gateways: Proxy::before(sandbox).await,
            });
        }
        started
    }

    /// Returns each proxy with the name of its target.
    pub fn all(&self) -> [(&'static str, &Proxy); 3] {
        [("PostgreSQL", &self.database), ("Redis", &self.redis), ("gateways", &self.gateways)]
    }
}

/// Free ports. A restarted API keeps its port. The last port in `apis` is for APIs that are started to die.
pub struct Ports {
    pub sandbox: SocketAddr,
    pub apis: Vec<SocketAddr>,
}

impl Ports {
    pub async fn free(apis: usize) -> Self {
        let mut held = Vec::new();
        for _ in 0..=apis {
            held.push(free_port().await);
        }
        let mut free = held.iter().map(|listener| listener.local_addr().unwrap());
        Self { sandbox: free.next().unwrap(), apis: free.collect() }
    }
}

/// Finds a port below those that Linux gives to clients, so that it stays free while its server is restarted.
async fn free_port() -> TcpListener {
    loop {
        let port = u16::try_from(20_000 + random_below(12_000)).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
    }
}

/// Returns the settings of a process that reaches everything through its proxies.
pub fn rewired(settings: &[(String, String)], proxies: &Proxies, gateways: &[&str]) -> Vec<(String, String)> {
    let proxy_for = |name: &str| match name {
        "SONGDA_DATABASE_URL" => Some(&proxies.database),
        "SONGDA_REDIS_URL" => Some(&proxies.redis),
        _ => {
            let gateway = name.strip_prefix("SONGDA_")?.strip_suffix("_URL")?.to_lowercase();
            gateways.contains(&gateway.as_str()).then_some(&proxies.gateways)
        }
    };
    let rewire = |(name, value): &(String, String)| {
        let Some(proxy) = proxy_for(name) else { return (name.clone(), value.clone()) };
        let mut url: Url = value.parse().unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        (name.clone(), url.into())
    };
    settings.iter().map(rewire).collect()
}
