//! Where Redis is, in one setting: one server, the primary of a set that sentinels watch, or a cluster.
//!
//! ```text
//! redis://user:password@host:port/database
//! redis+sentinel://user:password@host:port,host:port/name/database?sentinel_user=…&sentinel_password=…
//! redis+cluster://user:password@host:port,host:port
//! ```
//!
//! With `rediss` in place of `redis` all of it is spoken over TLS, to sentinels too. What would end a part (`:/?#@`) is
//! written as in any URL: `%40` is an `@`.

use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisError};
use url::Url;

use crate::queue::connection::node::{Access, Node};

/// Where Redis is.
#[derive(Clone)]
pub struct Address(pub(in crate::queue) Form);

/// The forms in which Redis is run.
#[derive(Clone)]
pub(in crate::queue) enum Form {
    Server(ConnectionInfo),
    /// A primary with its replicas, of which sentinels say which one is the primary.
    Sentinels(Sentinels),
    Cluster(Seeds),
}

/// Who says which server is the primary.
#[derive(Clone)]
pub(in crate::queue) struct Sentinels {
    /// Where they are.
    pub(in crate::queue) sentinels: Vec<Node>,
    /// How they are spoken to.
    pub(in crate::queue) own_access: Access,
    /// What they call the set.
    pub(in crate::queue) name: String,
    /// How its servers are spoken to.
    pub(in crate::queue) access: Access,
}

/// Who says which nodes a cluster has.
#[derive(Clone)]
pub(in crate::queue) struct Seeds {
    /// Nodes that are asked first.
    pub(in crate::queue) nodes: Vec<Node>,
    /// How any node is spoken to.
    pub(in crate::queue) access: Access,
}

/// What is wrong with an address. It repeats no part of it, for there may be a password in any.
#[derive(Debug, thiserror::Error)]
pub enum AddressFault {
    /// It begins with no form that is known.
    #[error("begins with none of redis://, redis+sentinel:// and redis+cluster:// (rediss… with TLS)")]
    Form,
    /// One of its servers.
    #[error("names a server that cannot be read: {0}")]
    Host(#[from] url::ParseError),
    /// Something of a server's beside its name and port.
    #[error("cannot be read: {0}")]
    Server(#[from] RedisError),
    /// A fragment would be `#insecure`.
    #[error("ends with #…, but there is nothing to be said there: certificates are always verified")]
    Fragment,
    /// Sentinels without the name of what they watch.
    #[error("names no primary: redis+sentinel://host,host/NAME")]
    Name,
    /// More than a cluster has.
    #[error("names a database or a parameter, and a cluster has none: redis+cluster://host,host")]
    Cluster,
    /// More than sentinels are told.
    #[error("has a parameter that is neither sentinel_user nor sentinel_password")]
    Parameter,
}

/// Where a sentinel listens unless told otherwise.
const SENTINEL_PORT: u16 = 26_379;
/// Where any other server does.
const SERVER_PORT: u16 = 6_379;

impl FromStr for Address {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Form)?;
        let form = match scheme {
            "redis" | "rediss" => Form::Server(server(text, SERVER_PORT)?),
            "redis+sentinel" => Form::Sentinels(Sentinels::read("redis", rest)?),
            "rediss+sentinel" => Form::Sentinels(Sentinels::read("rediss", rest)?),
            "redis+cluster" => Form::Cluster(Seeds::read("redis", rest)?),
            "rediss+cluster" => Form::Cluster(Seeds::read("rediss", rest)?),
            _ => return Err(AddressFault::Form),
        };
        Ok(Self(form))
    }
}

impl Sentinels {
    fn read(scheme: &str, rest: &str) -> Result<Self, AddressFault> {
        let parts = Parts::of(rest);
        let (name, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
        if name.is_empty() {
            return Err(AddressFault::Name);
        }
        let any = server(&format!("{scheme}://{}any/{database}", parts.access), SERVER_PORT)?;
        let own = parts.access_of_sentinels()?;
        let (sentinels, own_access) = servers(scheme, &own, parts.hosts, SENTINEL_PORT)?;
        Ok(Self { sentinels, own_access, name: name.to_owned(), access: Access::of(&any) })
    }
}

impl Seeds {
    fn read(scheme: &str, rest: &str) -> Result<Self, AddressFault> {
        let parts = Parts::of(rest);
        if !(parts.path.is_empty() && parts.query.is_empty()) {
            return Err(AddressFault::Cluster);
        }
        let (nodes, access) = servers(scheme, parts.access, parts.hosts, SERVER_PORT)?;
        Ok(Self { nodes, access })
    }
}

/// Several servers, separated by commas, that are spoken to in one way.
fn servers(scheme: &str, access: &str, hosts: &str, port: u16) -> Result<(Vec<Node>, Access), AddressFault> {
    let servers = hosts.split(',').map(|host| server(&format!("{scheme}://{access}{host}"), port));
    let servers: Vec<ConnectionInfo> = servers.collect::<Result<_, _>>()?;
    let access = servers.first().map(Access::of).ok_or(url::ParseError::EmptyHost)?;
    Ok((servers.iter().filter_map(Node::of).collect(), access))
}

/// One server, and how it is spoken to.
fn server(text: &str, port: u16) -> Result<ConnectionInfo, AddressFault> {
    let mut url = Url::parse(text)?;
    if url.fragment().is_some() {
        return Err(AddressFault::Fragment);
    }
    if !url.has_host() {
        return Err(url::ParseError::EmptyHost.into());
    }
    if url.port().is_none() {
        // It has a host, so it can have a port.
        let _ = url.set_port(Some(port));
    }
    Ok(url.into_connection_info()?)
}

/// `user:password@host,host/path?query`, taken apart; all of it as it was written.
struct Parts<'a> {
    /// With its `@`, or nothing.
    access: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (servers, path) = text.split_once('/').unwrap_or((text, ""));
        let (access, hosts) = servers.split_at(servers.rfind('@').map_or(0, |at| at + 1));
        Self { access, hosts, path, query }
    }

    /// The sentinels know users of their own.
    fn access_of_sentinels(&self) -> Result<String, AddressFault> {
        let (mut user, mut password) = ("", "");
        for parameter in self.query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sentinel_user", value)) => user = value,
                Some(("sentinel_password", value)) => password = value,
                _ => return Err(AddressFault::Parameter),
            }
        }
        Ok(if password.is_empty() { String::new() } else { format!("{user}:{password}@") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Form {
        text.parse::<Address>().unwrap_or_else(|fault| panic!("{text} {fault}")).0
    }

    /// How a server is spoken to.
    fn said(access: &Access) -> (bool, Option<&str>, Option<&str>, i64) {
        let settings = &access.settings;
        (access.is_encrypted, settings.username(), settings.password(), settings.db())
    }

    fn places(nodes: &[Node]) -> Vec<String> {
        nodes.iter().map(Node::to_string).collect()
    }

    #[test]
    fn one_server() {
        for (text, place, access) in [
            ("redis://me:p%40ss@here:7000/2", "here:7000", (false, Some("me"), Some("p@ss"), 2)),
            ("rediss://[::1]", "::1:6379", (true, None, None, 0)),
        ] {
            let Form::Server(server) = read(text) else { panic!("{text}") };
            assert_eq!(server.addr().to_string(), place);
            assert_eq!(said(&Access::of(&server)), access);
        }
    }

    #[test]
    fn a_set_behind_sentinels() {
        let text = "redis+sentinel://me:a%2Fb@one,two:7000,[::1]:7001/songda/3?sentinel_user=you&sentinel_password=c+d";
        let Form::Sentinels(set) = read(text) else { panic!() };
        assert_eq!(places(&set.sentinels), ["one:26379", "two:7000", "::1:7001"]);
        assert_eq!(said(&set.own_access), (false, Some("you"), Some("c+d"), 0));
        assert_eq!((set.name.as_str(), said(&set.access)), ("songda", (false, Some("me"), Some("a/b"), 3)));

        let Form::Sentinels(set) = read("rediss+sentinel://:secret@one/songda") else { panic!() };
        assert_eq!(said(&set.access), (true, None, Some("secret"), 0));
        assert_eq!(said(&set.own_access), (true, None, None, 0), "a password is told to nobody else");
    }

    #[test]
    fn a_cluster() {
        let Form::Cluster(seeds) = read("rediss+cluster://:secret@one,two:7000/") else { panic!() };
        assert_eq!(places(&seeds.nodes), ["one:6379", "two:7000"]);
        assert_eq!(said(&seeds.access), (true, None, Some("secret"), 0));
    }

    #[test]
    fn faults_are_told_without_what_is_secret() {
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
            let Err(fault) = text.parse::<Address>() else { panic!("{text} is read") };
            let fault = fault.to_string();
            assert!(fault.contains(word) && !fault.contains("hush"), "{text}: {fault}");
        }
    }
}
