//! Lanes, and the jobs that wait in them, for operators. A lane is the queue of jobs for one gateway.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::tag::OpsTag;
use crate::api::edge::{Operator, Problem, example};
use crate::api::services::Services;
use crate::casework::read_models::Backlog;
use crate::domain::work::job::Lane;

pub struct Lanes(pub Services);

/// The jobs of a lane are counted up to this number.
const MOST: i64 = 10_000;

#[OpenApi(prefix_path = "/ops/v1", tag = "OpsTag::Lanes")]
impl Lanes {
    /// 通道列表 · List lanes
    ///
    /// For each lane: how many of its jobs wait or run, and how many are dead. Each number is counted up to 10000 only.
    #[oai(path = "/lanes", method = "get", operation_id = "list_lanes")]
    async fn list(&self, _operator: Operator) -> Result<Json<LaneList>, Problem> {
        let mut data = Vec::new();
        for Backlog { lane, pending, dead } in self.0.casework.jobs().backlog(MOST).await? {
            let depth = self.0.queue.depth(&Lane::from_stored(lane.clone())).await.ok();
            data.push(LaneBody { lane, depth, pending, dead });
        }
        Ok(Json(LaneList { data }))
    }
}

/// 通道。 The queue of jobs for one gateway.
#[derive(Debug, Object)]
#[oai(rename = "Lane", example, skip_serializing_if_is_none)]
struct LaneBody {
    lane: String,
    /// The number of Redis stream entries that wait or are being handled; absent while Redis is unavailable.
    depth: Option<u64>,
    /// The number of jobs that wait or run.
    pending: i64,
    /// The number of dead jobs.
    dead: i64,
}

example!(LaneBody { lane: "courier.ems".to_owned(), depth: Some(3), pending: 12, dead: 0 });

/// 通道列表。 All lanes.
#[derive(Debug, Object)]
struct LaneList {
    data: Vec<LaneBody>,
}
