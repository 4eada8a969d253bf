//! All servers that Redis is made of, in whatever form it is run: for the operator who asks whether all is well.

pub mod condition;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use redis::RedisResult;

use super::{ANSWER_WITHIN, Queue, QueueError};
use crate::queue::connection::Lines;
use crate::queue::connection::address::Sentinels;
use crate::queue::connection::cluster::Cluster;
use crate::queue::connection::endpoint::Place;
use crate::queue::connection::node::{Access, Node};
use crate::queue::survey::condition::Condition;

/// What Redis is made of.
pub enum Survey {
    Server(Condition),
    /// A set that sentinels watch.
    Sentinels {
        /// What each of them says.
        sentinels: Vec<Sentinel>,
        /// The servers of the set, as far as a sentinel knows them.
        members: Vec<Member>,
    },
    Cluster {
        /// Its nodes, as far as one of them knows the others.
        members: Vec<Member>,
        /// How many of the 16,384 slots are held by none.
        unheld: u16,
    },
}

/// A server that is not alone.
pub struct Member {
    /// Where it is.
    pub place: Node,
    /// The primary that it may take over from; `None` if it is there to be one.
    pub copies: Option<Node>,
    /// What it says of itself.
    pub condition: Result<Condition, QueueError>,
}

pub struct Sentinel {
    /// Where it is.
    pub place: Node,
    /// What it says.
    pub view: Result<View, QueueError>,
}

/// How a sentinel sees the set.
pub struct View {
    /// Where the primary is; `None` if it does not know the set.
    pub primary: Option<Node>,
    /// Those that may take over.
    pub replicas: Vec<Node>,
    /// Why it could not have another primary elected now; `None` if it could, or does not say.
    pub no_quorum: Option<String>,
}

impl Queue {
    /// Asks every server about itself, over connections of their own.
    ///
    /// # Errors
    /// When Redis is unavailable, or nobody says which servers there are.
    pub async fn survey(&self) -> Result<Survey, QueueError> {
        Ok(match &self.lines {
            Lines::Cluster(cluster) => of_cluster(cluster).await?,
            Lines::One(line) => match line.place() {
                Place::Primary(set) => of_set(set).await,
                place => Survey::Server(condition::at(place).await?),
            },
        })
    }
}

async fn of_cluster(cluster: &Cluster) -> RedisResult<Survey> {
    let map = cluster.map().await?;
    let primaries = map.primaries().into_iter().map(|node| (node.clone(), None));
    let replicas = map.replicas().into_iter().map(|(node, primary)| (node.clone(), Some(primary.clone())));
    let members = join_all(primaries.chain(replicas).map(|(place, copies)| member(cluster.access(), place, copies)));
    Ok(Survey::Cluster { members: members.await, unheld: map.unheld() })
}

async fn of_set(set: &Sentinels) -> Survey {
    let ask = async |place: &Node| Sentinel { place: place.clone(), view: view(set, place).await.map_err(Into::into) };
    let sentinels = join_all(set.sentinels.iter().map(ask)).await;
    let mut views = sentinels.iter().filter_map(|sentinel| sentinel.view.as_ref().ok());
    let known = views.find_map(|view| Some((view.primary.clone()?, view.replicas.clone())));
    let members = known.into_iter().flat_map(|(primary, replicas)| {
        let replicas = replicas.into_iter().map(|place| (place, Some(primary.clone()))).collect::<Vec<_>>();
        std::iter::once((primary, None)).chain(replicas)
    });
    let members = join_all(members.map(|(place, copies)| member(&set.access, place, copies))).await;
    Survey::Sentinels { sentinels, members }
}

async fn member(access: &Access, place: Node, copies: Option<Node>) -> Member {
    let condition = async { condition::at(&Place::at(&place, access)?).await }.await.map_err(QueueError::from);
    Member { place, copies, condition }
}

async fn view(set: &Sentinels, place: &Node) -> RedisResult<View> {
    let mut sentinel = Place::at(place, &set.own_access)?.connect(ANSWER_WITHIN).await?;
    let asked = |question: &str| redis::cmd("SENTINEL").arg(question).arg(&set.name).clone();
    let primary: Option<(String, u16)> = asked("GET-MASTER-ADDR-BY-NAME").query_async(&mut sentinel).await?;
    let Some((host, port)) = primary else {
        return Ok(View { primary: None, replicas: Vec::new(), no_quorum: None });
    };
    let replicas: Vec<BTreeMap<String, String>> = asked("REPLICAS").query_async(&mut sentinel).await?;
    let replicas = replicas.iter().filter_map(|replica| {
        Some(Node { host: replica.get("ip")?.clone(), port: replica.get("port")?.parse().ok()? })
    });
    let quorum: RedisResult<String> = asked("CKQUORUM").query_async(&mut sentinel).await;
    let no_quorum = quorum.err().filter(|error| error.code() == Some("NOQUORUM"));
    Ok(View {
        primary: Some(Node { host, port }),
        replicas: replicas.collect(),
        no_quorum: no_quorum.map(|error| error.detail().unwrap_or_default().to_owned()),
    })
}
