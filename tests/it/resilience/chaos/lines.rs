//! The lines of the town: each process reaches PostgreSQL, Redis and the gateways through proxies of its own, so that one
//! can be cut off while the others are not.

use std::net::SocketAddr;

use reqwest::Url;
use songda::domain::kernel::clock::random_below;
use tokio::net::TcpListener;

use crate::support::proxy::Proxy;

/// The lines of one process.
pub struct Lines {
    /// To PostgreSQL.
    pub database: Proxy,
    /// To Redis.
    pub redis: Proxy,
    /// To all gateways.
    pub gateways: Proxy,
}

impl Lines {
    /// Lays those of so many processes.
    pub async fn lay(count: usize, [postgres, redis]: [SocketAddr; 2], sandbox: SocketAddr) -> Vec<Self> {
        let mut laid = Vec::new();
        for _ in 0..count {
            let (database, redis) = (Proxy::before(postgres).await, Proxy::before(redis).await);
            laid.push(Self { database, redis, gateways: Proxy::before(sandbox).await });
        }
        laid
    }

    /// Each, with what it leads to.
    pub fn all(&self) -> [(&'static str, &Proxy); 3] {
        [("PostgreSQL", &self.database), ("Redis", &self.redis), ("gateways", &self.gateways)]
    }
}

/// Ports on which nobody listens now. The APIs keep theirs when they are started again; the last is for one that dies.
pub struct Places {
    /// The sandbox's.
    pub sandbox: SocketAddr,
    /// Those of the APIs.
    pub apis: Vec<SocketAddr>,
}

impl Places {
    /// Some for the sandbox and so many APIs.
    pub async fn free(apis: usize) -> Self {
        let mut held = Vec::new();
        for _ in 0..=apis {
            held.push(free_port().await);
        }
        let mut free = held.iter().map(|listener| listener.local_addr().unwrap());
        Self { sandbox: free.next().unwrap(), apis: free.collect() }
    }
}

/// A port below those that Linux gives to clients: a server may stop, and finds it free again.
async fn free_port() -> TcpListener {
    loop {
        let port = u16::try_from(20_000 + random_below(12_000)).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
    }
}

/// The settings of a process that reaches everything over lines of its own.
pub fn rewired(settings: &[(String, String)], lines: &Lines, gateways: &[&str]) -> Vec<(String, String)> {
    let over = |name: &str| match name {
        "SONGDA_DATABASE_URL" => Some(&lines.database),
        "SONGDA_REDIS_URL" => Some(&lines.redis),
        _ => {
            let gateway = name.strip_prefix("SONGDA_")?.strip_suffix("_URL")?.to_lowercase();
            gateways.contains(&gateway.as_str()).then_some(&lines.gateways)
        }
    };
    let rewire = |(name, value): &(String, String)| {
        let Some(line) = over(name) else { return (name.clone(), value.clone()) };
        let mut url: Url = value.parse().unwrap();
        url.set_port(Some(line.address().port())).unwrap();
        (name.clone(), url.into())
    };
    settings.iter().map(rewire).collect()
}
