//! Lanes, and what waits in them.

use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::tag::Tag;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::bearer::Operator;
use crate::casework::Casework;
use crate::casework::read_models::Backlog;
use crate::domain::work::job::Lane;
use crate::queue::Queue;

/// The operations.
pub struct Lanes {
    pub(super) casework: Casework,
    pub(super) queue: Queue,
}

/// Jobs are counted up to this many.
const MOST: i64 = 10_000;

#[OpenApi(prefix_path = "/ops/v1", tag = "Tag::Lanes")]
impl Lanes {
    /// Lists the lanes and what waits in them. Numbers stop at 10000.
    #[oai(path = "/lanes", method = "get", operation_id = "list_lanes")]
    async fn list(&self, _operator: Operator) -> Result<LanesAnswer, Problem> {
        let mut data = Vec::new();
        for Backlog { lane, pending, dead } in self.casework.jobs().backlog(MOST).await? {
            let depth = self.queue.depth(&Lane::from_stored(lane.clone())).await.ok();
            data.push(LaneBody { lane, depth, pending, dead });
        }
        Ok(LanesAnswer::Ok(Json(LaneList { data })))
    }
}

/// A lane: the queue before one gateway.
#[derive(Debug, Object)]
#[oai(rename = "Lane", example, skip_serializing_if_is_none)]
struct LaneBody {
    /// Its name.
    lane: String,
    /// How many rings wait in Redis or are being answered; absent while Redis is away.
    depth: Option<u64>,
    /// Jobs to be done, or being done.
    pending: i64,
    /// Jobs that were given up.
    dead: i64,
}

impl Example for LaneBody {
    fn example() -> Self {
        Self { lane: "courier.ems".to_owned(), depth: Some(3), pending: 12, dead: 0 }
    }
}

/// All lanes.
#[derive(Debug, Object)]
struct LaneList {
    /// The lanes.
    data: Vec<LaneBody>,
}

#[derive(ApiResponse)]
enum LanesAnswer {
    /// The lanes.
    #[oai(status = 200)]
    Ok(Json<LaneList>),
}
