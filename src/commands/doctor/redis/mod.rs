//! Checks each server of Redis, and how the servers work together. Redis is a single server, a primary and replicas
//! with sentinels, or a cluster.

mod server;
mod together;

use songda::queue::survey::{Member, Survey};

pub use server::GROUP;

use super::causes::with_causes;
use super::finding::Finding;
use super::installation::Installation;

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(queue) = &installation.queue else { return Vec::new() };
    let asked = installation.clock.now();
    let survey = queue.survey().await;
    let between = (asked, installation.clock.now());
    let of_members = |members: &[Member]| members.iter().flat_map(|member| server::member(member, between)).collect();
    match survey {
        Ok(Survey::Server(condition)) => server::alone(&condition, between),
        Ok(Survey::Sentinels { sentinels, members }) => {
            [together::watched(&sentinels, &members), of_members(&members)].concat()
        }
        Ok(Survey::Cluster { members, unheld }) => [together::cluster(&members, unheld), of_members(&members)].concat(),
        Err(error) => {
            let what = format!("no answer: {}", with_causes(&error));
            let advice = "start it, or correct SONGDA_REDIS_URL; decisions are still accepted, and their jobs wait";
            vec![Finding::fault(GROUP, "server", what, advice)]
        }
    }
}
