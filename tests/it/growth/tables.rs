//! While a decision goes from the request to the phone and the carrier, PostgreSQL makes no sequential scan of a table
//! that grows with every case.

use songda::demo::fresh_phone;

use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::wait::wait_until;

/// The tables that grow with every case.
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
async fn a_decision_and_its_delivery_scan_no_whole_table() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let server = desk.server().await;
    let worker = desk.worker();
    let phone = fresh_phone();
    Office::register(&desk).await.at(&server.api).hand_in(&[result(&phone)]).await;
    let world = desk.sandbox.world();
    let came = async || {
        desk.sandbox.sandbox().advance_all(1);
        world.phones.of(&phone).len() >= 2
    };
    wait_until("the messages about the decision and the delivery arrive", came).await;
    // A backend reports its statistics when its connection closes.
    drop((server, worker));
    let reported = "select coalesce(sum(idx_scan), 0) > 0 from pg_stat_user_tables where relname = 'jobs'";
    wait_until("PostgreSQL has the statistics", async || desk.scalar(reported).await).await;
    let read = "select relname::text from pg_stat_user_tables where seq_scan > 0 and relname = any($1)";
    let read: Vec<String> = sqlx::query_scalar(read).bind(HISTORY.as_slice()).fetch_all(&desk.database).await.unwrap();
    assert_eq!(read, Vec::<String>::new(), "tables that were read sequentially");
    desk.close().await;
}
