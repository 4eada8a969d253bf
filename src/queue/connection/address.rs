//! The address of Redis, as one setting: a single server, the primary of a set that sentinels watch, or a cluster.
//!
//! ```text
//! redis://user:password@host:port/database
//! redis+sentinel://user:password@host:port,host:port/name/database?sentinel_user=…&sentinel_password=…
//! redis+cluster://user:password@host:port,host:port
//! ```
//!
//! `rediss` instead of `redis` means TLS, for sentinels too. The characters `:/?#@` inside a user name or another
//! component are percent-encoded as in any URL: `%40` is an `@`.

use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisError};
use url::Url;

use crate::env::risk::is_this_machine;
use crate::queue::connection::node::{Access, Node};

#[derive(Clone)]
pub struct RedisAddress(pub(in crate::queue) Deployment);

#[derive(Clone)]
pub(in crate::queue) enum Deployment {
    Server(ConnectionInfo),
    /// A primary with its replicas. Sentinels know which server is the primary.
    Sentinels(Sentinels),
    Cluster(Seeds),
}

#[derive(Clone)]
pub(in crate::queue) struct Sentinels {
    pub(in crate::queue) sentinels: Vec<Node>,
    /// The credentials for the sentinels.
    pub(in crate::queue) own_access: Access,
    /// The name under which the sentinels know the primary and its replicas.
    pub(in crate::queue) name: String,
    /// The credentials for the primary and its replicas.
    pub(in crate::queue) access: Access,
}

/// The nodes that the address of a cluster names. The client asks them for the other nodes of the cluster.
#[derive(Clone)]
pub(in crate::queue) struct Seeds {
    pub(in crate::queue) nodes: Vec<Node>,
    /// The credentials for every node.
    pub(in crate::queue) access: Access,
}

/// Why an address is invalid. The message repeats nothing of the address, because any component may contain a password.
#[derive(Debug, thiserror::Error)]
pub enum RedisAddressFault {
    #[error("begins with none of redis://, redis+sentinel:// and redis+cluster:// (rediss… with TLS)")]
    Scheme,
    #[error("names a server that cannot be read: {0}")]
    Host(#[from] url::ParseError),
    /// A component other than host and port is invalid, such as the database number.
    #[error("cannot be read: {0}")]
    Server(#[from] RedisError),
    /// The only fragment that the redis crate knows is `#insecure`. It would switch off the verification of
    /// certificates.
    #[error("ends with a fragment (#…), and none is allowed: certificates are always verified")]
    Fragment,
    #[error("names no primary: redis+sentinel://host,host/NAME")]
    Name,
    #[error("names a database or a parameter, and a cluster has none: redis+cluster://host,host")]
    Cluster,
    #[error("has a parameter that is neither sentinel_user nor sentinel_password")]
    Parameter,
}

/// The default port of a sentinel.
const SENTINEL_PORT: u16 = 26_379;
/// The default port of any other server.
const SERVER_PORT: u16 = 6_379;

impl FromStr for RedisAddress {
    type Err = RedisAddressFault;

    fn from_str(text: &str) -> Result<Self, RedisAddressFault> {
        let (scheme, rest) = text.split_once("://").ok_or(RedisAddressFault::Scheme)?;
        let form = match scheme {
            "redis" | "rediss" => Deployment::Server(server(text, SERVER_PORT)?),
            "redis+sentinel" => Deployment::Sentinels(Sentinels::read("redis", rest)?),
            "rediss+sentinel" => Deployment::Sentinels(Sentinels::read("rediss", rest)?),
            "redis+cluster" => Deployment::Cluster(Seeds::read("redis", rest)?),
            "rediss+cluster" => Deployment::Cluster(Seeds::read("rediss", rest)?),
            _ => return Err(RedisAddressFault::Scheme),
        };
        Ok(Self(form))
    }
}

impl RedisAddress {
    /// True if connections to one of the servers go over a network.
    pub fn is_remote(&self) -> bool {
        !self.hosts().iter().all(|host| is_this_machine(host))
    }

    /// True if all connections use TLS.
    pub fn is_encrypted(&self) -> bool {
        self.accesses().iter().all(|access| access.is_encrypted)
    }

    /// Returns the length of the shortest password, in characters; zero if a server is reached without a password.
    pub fn shortest_password(&self) -> usize {
        let length = |access: &Access| access.settings.password().map_or(0, |password| password.chars().count());
        self.accesses().iter().map(length).min().unwrap_or_default()
    }

    fn hosts(&self) -> Vec<String> {
        let host = |node: &Node| node.host.clone();
        match &self.0 {
            Deployment::Server(server) => Node::of(server).iter().map(host).collect(),
            Deployment::Sentinels(set) => set.sentinels.iter().map(host).collect(),
            Deployment::Cluster(seeds) => seeds.nodes.iter().map(host).collect(),
        }
    }

    /// The credentials of the servers that hold our data. Sentinels hold none.
    fn accesses(&self) -> Vec<Access> {
        match &self.0 {
            Deployment::Server(server) => vec![Access::of(server)],
            Deployment::Sentinels(set) => vec![set.access.clone()],
            Deployment::Cluster(seeds) => vec![seeds.access.clone()],
        }
    }
}

impl Sentinels {
    fn read(scheme: &str, rest: &str) -> Result<Self, RedisAddressFault> {
        let parts = AddressParts::of(rest);
        let (name, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
        if name.is_empty() {
            return Err(RedisAddressFault::Name);
        }
        let any = server(&format!("{scheme}://{}any/{database}", parts.access), SERVER_PORT)?;
        let own = parts.access_of_sentinels()?;
        let sentinels = Seeds::of(scheme, &own, parts.hosts, SENTINEL_PORT)?;
        Ok(Self {
            sentinels: sentinels.nodes,
            own_access: sentinels.access,
            name: name.to_owned(),
            access: Access::of(&any),
        })
    }
}

impl Seeds {
    fn read(scheme: &str, rest: &str) -> Result<Self, RedisAddressFault> {
        let parts = AddressParts::of(rest);
        if !(parts.path.is_empty() && parts.query.is_empty()) {
            return Err(RedisAddressFault::Cluster);
        }
        Self::of(scheme, parts.access, parts.hosts, SERVER_PORT)
    }

    /// Parses the addresses of several servers, separated by commas, with the same credentials. `port` is the default
    /// port.
    fn of(scheme: &str, access: &str, hosts: &str, port: u16) -> Result<Self, RedisAddressFault> {
        let servers = hosts.split(',').map(|host| server(&format!("{scheme}://{access}{host}"), port));
        let servers: Vec<ConnectionInfo> = servers.collect::<Result<_, _>>()?;
        let access = servers.first().map(Access::of).ok_or(url::ParseError::EmptyHost)?;
        Ok(Self { nodes: servers.iter().filter_map(Node::of).collect(), access })
    }
}

/// Parses the address of one server, with its credentials. `port` is the default port.
fn server(text: &str, port: u16) -> Result<ConnectionInfo, RedisAddressFault> {
    let mut url = Url::parse(text)?;
    if url.fragment().is_some() {
        return Err(RedisAddressFault::Fragment);
    }
    if !url.has_host() {
        return Err(url::ParseError::EmptyHost.into());
    }
    if url.port().is_none() {
        // This cannot fail, because the address has a host.
        let _ = url.set_port(Some(port));
    }
    Ok(url.into_connection_info()?)
}

/// The components of `user:password@host,host/path?query`, still percent-encoded.
struct AddressParts<'a> {
    /// `user:password@`, or empty.
    access: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> AddressParts<'a> {
    fn of(text: &'a str) -> Self {
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (servers, path) = text.split_once('/').unwrap_or((text, ""));
        let (access, hosts) = servers.split_at(servers.rfind('@').map_or(0, |at| at + 1));
        Self { access, hosts, path, query }
    }

    /// Returns `user:password@` for the sentinels; empty without a password. Sentinels have their own users.
    fn access_of_sentinels(&self) -> Result<String, RedisAddressFault> {
        let mut user = "";
        let mut password = "";
        for parameter in self.query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sentinel_user", value)) => user = value,
                Some(("sentinel_password", value)) => password = value,
                _ => return Err(RedisAddressFault::Parameter),
            }
        }
        Ok(if password.is_empty() { String::new() } else { format!("{user}:{password}@") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Deployment {
        text.parse::<RedisAddress>().unwrap_or_else(|fault| panic!("{text} {fault}")).0
    }

    /// Returns whether TLS is on, and the user, password and database.
    fn login(access: &Access) -> (bool, Option<&str>, Option<&str>, i64) {
        let settings = &access.settings;
        (access.is_encrypted, settings.username(), settings.password(), settings.db())
    }

    fn names(nodes: &[Node]) -> Vec<String> {
        nodes.iter().map(Node::to_string).collect()
    }

    #[test]
    fn one_server() {
        for (text, node, access) in [
            ("redis://me:p%40ss@here:7000/2", "here:7000", (false, Some("me"), Some("p@ss"), 2)),
            ("rediss://[::1]", "::1:6379", (true, None, None, 0)),
        ] {
            let Deployment::Server(server) = read(text) else { panic!("{text}") };
            assert_eq!(server.addr().to_string(), node);
            assert_eq!(login(&Access::of(&server)), access);
        }
    }

    #[test]
    fn a_set_behind_sentinels() {
        let text = "redis+sentinel://me:a%2Fb@one,two:7000,[::1]:7001/songda/3?sentinel_user=you&sentinel_password=c+d";
        let Deployment::Sentinels(set) = read(text) else { panic!() };
        assert_eq!(names(&set.sentinels), ["one:26379", "two:7000", "::1:7001"]);
        assert_eq!(login(&set.own_access), (false, Some("you"), Some("c+d"), 0));
        assert_eq!((set.name.as_str(), login(&set.access)), ("songda", (false, Some("me"), Some("a/b"), 3)));

        let Deployment::Sentinels(set) = read("rediss+sentinel://:secret@one/songda") else { panic!() };
        assert_eq!(login(&set.access), (true, None, Some("secret"), 0));
        assert_eq!(login(&set.own_access), (true, None, None, 0), "the set's password is not sent to the sentinels");
    }

    #[test]
    fn a_cluster() {
        let Deployment::Cluster(seeds) = read("rediss+cluster://:secret@one,two:7000/") else { panic!() };
        assert_eq!(names(&seeds.nodes), ["one:6379", "two:7000"]);
        assert_eq!(login(&seeds.access), (true, None, Some("secret"), 0));
    }

    #[test]
    fn an_address_shows_how_well_it_is_protected() {
        for (text, remote, encrypted, password) in [
            ("redis://127.0.0.1", false, false, 0),
            ("redis://[::1]/1", false, false, 0),
            ("redis://:secret@one", true, false, 6),
            ("rediss://:secret@one", true, true, 6),
            ("rediss+sentinel://:secret@127.0.0.1,two/songda", true, true, 6),
            ("redis+cluster://localhost,127.0.0.1:7000", false, false, 0),
        ] {
            let address: RedisAddress = text.parse().unwrap_or_else(|fault| panic!("{text} {fault}"));
            let shown = (address.is_remote(), address.is_encrypted(), address.shortest_password());
            assert_eq!(shown, (remote, encrypted, password), "{text}");
        }
    }

    #[test]
    fn faults_repeat_no_secret() {
        for (text, word) in [
            ("hush", "redis+cluster://"),
            ("http://hush", "redis+cluster://"),
            ("redis://:hush@", "empty host"),
            ("redis://:hush@one:port", "port"),
            ("redis://:hush@one/hush", "database"),
            ("rediss://:hush@one/#insecure", "certificates"),
            ("redis+sentinel://:hush@one", "NAME"),
            ("redis+sentinel://:hush@one/songda/hush", "database"),
            ("redis+sentinel://:hush@one,/songda", "empty host"),
            ("redis+sentinel://one/songda?hush=hush", "sentinel_password"),
            ("redis+cluster://:hush@one,two:port", "port"),
            ("redis+cluster://:hush@one/1", "a cluster has none"),
            ("redis+cluster://", "empty host"),
        ] {
            let Err(fault) = text.parse::<RedisAddress>() else { panic!("{text} is read") };
            let fault = fault.to_string();
            assert!(fault.contains(word) && !fault.contains("hush"), "{text}: {fault}");
        }
    }
}
