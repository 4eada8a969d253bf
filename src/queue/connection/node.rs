//! One of several servers: where it is, and how it is spoken to.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Its name or address.
    pub host: String,
    pub port: u16,
}

/// How servers of a kind are spoken to: with or without TLS, as whom, and of which database.
#[derive(Clone)]
pub(in crate::queue) struct Access {
    /// Whether the line is encrypted, and the server's certificate verified.
    pub(in crate::queue) is_encrypted: bool,
    /// User, password and database.
    pub(in crate::queue) settings: RedisConnectionInfo,
}

impl Node {
    /// The place of a server that is on a network.
    pub(in crate::queue) fn of(server: &ConnectionInfo) -> Option<Self> {
        match server.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(Self { host: host.clone(), port: *port })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

impl Access {
    /// As this server is spoken to.
    pub(in crate::queue) fn of(server: &ConnectionInfo) -> Self {
        let is_encrypted = matches!(server.addr(), ConnectionAddr::TcpTls { .. });
        Self { is_encrypted, settings: server.redis_settings().clone() }
    }

    /// All that is needed to speak to such a server.
    pub(in crate::queue) fn to(&self, node: &Node) -> RedisResult<ConnectionInfo> {
        let (host, port) = (node.host.clone(), node.port);
        let place = if self.is_encrypted {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        Ok(place.into_connection_info()?.set_redis_settings(self.settings.clone()))
    }
}
