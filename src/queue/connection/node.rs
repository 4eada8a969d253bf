//! The address of a Redis server, and the credentials to connect to it.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};

/// The network address of a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Host name or IP address.
    pub host: String,
    pub port: u16,
}

/// The credentials for one group of servers, such as all sentinels or all nodes of a cluster.
#[derive(Clone)]
pub(in crate::queue) struct Access {
    /// True if connections use TLS and verify the server's certificate.
    pub(in crate::queue) is_encrypted: bool,
    /// User, password and database.
    pub(in crate::queue) settings: RedisConnectionInfo,
}

impl Node {
    /// Returns the address of a server; `None` if the server is not reached over TCP.
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
    pub(in crate::queue) fn of(server: &ConnectionInfo) -> Self {
        let is_encrypted = matches!(server.addr(), ConnectionAddr::TcpTls { .. });
        Self { is_encrypted, settings: server.redis_settings().clone() }
    }

    /// Combines these credentials with the address of a node, in the form that the redis crate needs.
    pub(in crate::queue) fn to(&self, node: &Node) -> RedisResult<ConnectionInfo> {
        let host = node.host.clone();
        let port = node.port;
        let address = if self.is_encrypted {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        Ok(address.into_connection_info()?.set_redis_settings(self.settings.clone()))
    }
}
