//! The cost of a decision does not grow with what was decided before: on its way from the request to the phone and the
//! carrier nothing reads a whole table that keeps history.

use songda::demo::fresh_phone;

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{KnownOffice, result};

/// Tables that grow with what happens.
const HISTORY: [&str; 12] = [
    "attempts",
    "callbacks",
    "case_history",
    "cases",
    "changes",
    "consents",
    "idempotent_answers",
    "jobs",
    "notifications",
    "parcel_scans",
    "parcels",
    "people",
];

#[tokio::test]
async fn nothing_on_the_way_reads_a_whole_table() {
    let mut desk = Desk::open_idle(&[]).await;
    desk.leave_jobs();
    let (server, worker) = (desk.server(None).await, desk.worker(None));
    let known = KnownOffice::new(&desk).await;
    let api = server.api.with_token(known.token(&desk).await);
    let phone = fresh_phone();
    let rows = serde_json::json!({"results": [result(&phone)]});
    api.post("/integration/v1/result-batches").once("scans").json(&rows).success().await.unwrap();
    let world = desk.sandbox.world();
    let came = async || {
        desk.sandbox.sandbox().advance_all(1);
        world.phones.of(&phone).len() >= 2
    };
    wait_until("it is told and brought", came).await;
    // Whoever leaves PostgreSQL tells it what they read.
    drop((server, worker));
    let used = "select coalesce(sum(idx_scan), 0) > 0 from pg_stat_user_tables where relname = 'jobs'";
    let used = async || sqlx::query_scalar(used).fetch_one(&desk.database).await.unwrap();
    wait_until("PostgreSQL knows what was read", used).await;
    let read = "select relname::text from pg_stat_user_tables where seq_scan > 0 and relname = any($1)";
    let read: Vec<String> = sqlx::query_scalar(read).bind(HISTORY.as_slice()).fetch_all(&desk.database).await.unwrap();
    assert_eq!(read, Vec::<String>::new(), "tables that were read from one end to the other");
    desk.close().await;
}
