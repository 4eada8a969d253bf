//! Several API and worker processes on one database and one Redis: the work is shared, and nothing is done twice.

use crate::resilience::outages::Clerk;
use crate::support::desk::Desk;
use crate::support::office::{Decided, came_once};

#[tokio::test]
async fn many_processes_share_the_work_and_double_none_of_it() {
    let desk = Desk::open_idle(&[]).await;
    let servers = [desk.server(None).await, desk.server(None).await];
    let _workers = [(); 3].map(|()| desk.worker(None));
    let mut clerks = Vec::new();
    for server in &servers {
        clerks.push(Clerk::new(&desk, server).await);
    }
    let shift = async |clerk: &Clerk| {
        let enough = async {
            for _ in 0..3 {
                clerk.some_are_taken().await;
            }
            clerk.go_home();
        };
        tokio::join!(clerk.work(), enough);
    };
    tokio::join!(shift(&clerks[0]), shift(&clerks[1]));

    let taken: Vec<Decided> = clerks.into_iter().flat_map(|clerk| clerk.taken.into_inner().unwrap()).collect();
    came_once(&desk, &taken).await;
    let attempts = "select count(*), count(distinct job_id), count(distinct worker) from attempts";
    let (attempts, jobs, workers): (i64, i64, i64) = sqlx::query_as(attempts).fetch_one(&desk.database).await.unwrap();
    assert_eq!(attempts, jobs, "nothing failed, so each job was tried once");
    assert!(workers > 1, "one did all the work");
    desk.close().await;
}
