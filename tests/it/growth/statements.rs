//! The plan of every statement, as PostgreSQL executed it in a database with some three thousand old cases.

use sqlx::{Connection, PgConnection};

use super::history::copies::{self, Copied, count, leave_open};
use super::history::day::{Times, Town};
use super::history::plans;
use crate::support::desk::Desk;
use crate::support::items::AGENCY;
use crate::support::office::Office;
use crate::support::people::{PASSWORD, add_staff};

/// How many copies of the first day, with its ten cases, are made. That gives three thousand cases, twice the number of
/// rows that a statement may read.
const COPIES: i64 = 300;

#[tokio::test]
async fn no_statement_reads_more_because_of_history() {
    let mut desk = Desk::builder().settings(&[("SONGDA_HOUSEKEEPING", "1s")]).without_worker().open().await;
    let mut conn = PgConnection::connect(desk.setting("SONGDA_DATABASE_URL")).await.unwrap();
    plans::watch(&mut conn).await.unwrap();
    // The test begins with the worst statistics that PostgreSQL can have: they say that every table is empty.
    copies::count_by_hand(&mut conn).await.unwrap();
    count(&mut conn).await.unwrap();
    let server = desk.server().await;
    let worker = desk.worker();
    desk.outside().aim(server.api.base()).await.unwrap();
    let operator = "operator.growth";
    desk.songda(&add_staff(operator, AGENCY, "operator")).await;
    let back_office = Office::register(&desk).await.at(&server.api).api;
    let town = Town {
        api: server.api.clone(),
        sandbox: desk.outside(),
        password: PASSWORD.to_owned(),
        operator,
        back_office,
        decisions: 7,
    };

    town.lives_a_day(&mut Times::default()).await.unwrap();
    desk.finish().await;
    let copied = Copied::take(&mut conn).await.unwrap();
    copied.copy(&mut conn, 1, COPIES, COPIES).await.unwrap();
    leave_open(&mut conn, &town.leaves_one_open().await.unwrap()).await.unwrap();
    copied.end(&mut conn).await.unwrap();

    // The town lives two more days: one with the plans that were made while the tables were nearly empty, and one with
    // the plans after an analyze.
    for analyzed in [false, true] {
        if analyzed {
            count(&mut conn).await.unwrap();
        }
        let before = plans::length(&mut conn).await.unwrap();
        town.lives_a_day(&mut Times::default()).await.unwrap();
        desk.finish().await;
        let statements = plans::since(&mut conn, before).await.unwrap();
        let faults = statements.faults();
        assert!(faults.is_empty(), "analyzed: {analyzed}\n{}", faults.join("\n"));
        assert!(statements.count() > 100, "only {} statements were logged", statements.count());
    }
    desk.leave_jobs();
    drop((server, worker));
    conn.close().await.unwrap();
    desk.close().await;
}
