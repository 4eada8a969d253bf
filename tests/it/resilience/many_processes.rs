//! Several API and worker processes on one database and one Redis.

use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::load::Clerk;

#[tokio::test]
async fn many_processes_share_the_work_and_do_nothing_twice() {
    let desk = Desk::builder().without_worker().open().await;
    let servers = [desk.server().await, desk.server().await];
    let _workers = [(); 3].map(|()| desk.worker());
    let mut clerks = Vec::new();
    for server in &servers {
        clerks.push(Clerk::at(&desk, server).await);
    }
    let shift = async |clerk: &Clerk| {
        let enough = async {
            for _ in 0..3 {
                clerk.some_are_accepted().await;
            }
            clerk.stop();
        };
        tokio::join!(clerk.work(), enough);
    };
    tokio::join!(shift(&clerks[0]), shift(&clerks[1]));

    let accepted: Vec<Decided> = clerks.into_iter().flat_map(|clerk| clerk.accepted.into_inner().unwrap()).collect();
    assert_arrived_once(&desk, &accepted).await;
    let attempts = "select count(*), count(distinct job_id), count(distinct worker) from attempts";
    let (attempts, jobs, workers): (i64, i64, i64) = sqlx::query_as(attempts).fetch_one(&desk.database).await.unwrap();
    assert_eq!(attempts, jobs, "nothing failed, so each job was tried once");
    assert!(workers > 1, "one worker did all the work");
    desk.close().await;
}
