//! Asks every server of a Redis deployment for its report, for `songda doctor`.

pub mod server_report;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use redis::RedisResult;

use crate::queue::connection::RedisConnections;
use crate::queue::connection::address::Sentinels;
use crate::queue::connection::cluster::Cluster;
use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::node::{Access, Node};
use crate::queue::connection::time_out::ANSWER_WITHIN;
use crate::queue::survey::server_report::{ServerReport, fetch};
use crate::queue::{Queue, QueueError};

pub enum Survey {
    Server(ServerReport),
    /// A primary and its replicas, which sentinels watch.
    Sentinels {
        sentinels: Vec<Sentinel>,
        /// The primary and the replicas that the first answering sentinel reported.
        members: Vec<Member>,
    },
    Cluster {
        /// The nodes of the cluster that the first answering node reported.
        members: Vec<Member>,
        /// How many of the 16,384 hash slots no node serves.
        unheld: u16,
    },
}

/// A primary or a replica of a deployment with several servers: behind sentinels, or in a cluster.
pub struct Member {
    pub node: Node,
    /// The primary that this node replicates; `None` for a primary.
    pub replica_of: Option<Node>,
    pub report: Result<ServerReport, QueueError>,
}

pub struct Sentinel {
    pub node: Node,
    pub view: Result<SentinelView, QueueError>,
}

/// A sentinel's report about the primary and its replicas.
pub struct SentinelView {
    /// The primary; `None` if the sentinel does not know the configured name.
    pub primary: Option<Node>,
    pub replicas: Vec<Node>,
    /// Why the sentinels could not elect another primary now; `None` if they could, or if this sentinel gives no
    /// reason.
    pub no_quorum: Option<String>,
}

impl Queue {
    /// Asks every server for its report. If one of several servers does not answer, only its own report in the survey
    /// is an error. The whole call fails if Redis is one lone server that does not answer, or if no node of a cluster
    /// answers.
    pub async fn survey(&self) -> Result<Survey, QueueError> {
        Ok(match &self.connections {
            RedisConnections::Cluster(cluster) => of_cluster(cluster).await?,
            RedisConnections::One(connection) => match connection.endpoint() {
                Endpoint::Primary(set) => of_set(set).await,
                endpoint => Survey::Server(fetch(endpoint).await?),
            },
        })
    }
}

async fn of_cluster(cluster: &Cluster) -> RedisResult<Survey> {
    let map = cluster.map().await?;
    let primaries = map.primaries().into_iter().map(|node| (node.clone(), None));
    let replicas = map.replicas().into_iter().map(|(node, primary)| (node.clone(), Some(primary.clone())));
    let nodes = primaries.chain(replicas);
    let members = join_all(nodes.map(|(node, replica_of)| member(cluster.access(), node, replica_of))).await;
    Ok(Survey::Cluster { members, unheld: map.unheld() })
}

async fn of_set(set: &Sentinels) -> Survey {
    let ask = async |node: &Node| Sentinel { node: node.clone(), view: view(set, node).await.map_err(Into::into) };
    let sentinels = join_all(set.sentinels.iter().map(ask)).await;
    let mut views = sentinels.iter().filter_map(|sentinel| sentinel.view.as_ref().ok());
    let known = views.find_map(|view| Some((view.primary.clone()?, view.replicas.clone())));
    let nodes = known.into_iter().flat_map(|(primary, replicas)| {
        let replicas = replicas.into_iter().map(|node| (node, Some(primary.clone()))).collect::<Vec<_>>();
        std::iter::once((primary, None)).chain(replicas)
    });
    let members = join_all(nodes.map(|(node, replica_of)| member(&set.access, node, replica_of))).await;
    Survey::Sentinels { sentinels, members }
}

async fn member(access: &Access, node: Node, replica_of: Option<Node>) -> Member {
    let report = async { fetch(&Endpoint::at(&node, access)?).await }.await.map_err(QueueError::from);
    Member { node, replica_of, report }
}

async fn view(set: &Sentinels, node: &Node) -> RedisResult<SentinelView> {
    let mut sentinel = Endpoint::at(node, &set.own_access)?.connect(ANSWER_WITHIN).await?;
    let ask = |question: &str| redis::cmd("SENTINEL").arg(question).arg(&set.name).clone();
    let primary: Option<(String, u16)> = ask("GET-MASTER-ADDR-BY-NAME").query_async(&mut sentinel).await?;
    let Some((host, port)) = primary else {
        return Ok(SentinelView { primary: None, replicas: Vec::new(), no_quorum: None });
    };
    let replicas: Vec<BTreeMap<String, String>> = ask("REPLICAS").query_async(&mut sentinel).await?;
    let replicas = replicas.iter().filter_map(|replica| {
        Some(Node { host: replica.get("ip")?.clone(), port: replica.get("port")?.parse().ok()? })
    });
    let quorum: RedisResult<String> = ask("CKQUORUM").query_async(&mut sentinel).await;
    let no_quorum = quorum.err().filter(|error| error.code() == Some("NOQUORUM"));
    Ok(SentinelView {
        primary: Some(Node { host, port }),
        replicas: replicas.collect(),
        no_quorum: no_quorum.map(|error| error.detail().unwrap_or_default().to_owned()),
    })
}
