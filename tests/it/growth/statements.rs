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

/// With a single connection, a process keeps the plans of the first day for the second.
const SETTINGS: [(&str, &str); 2] = [("SONGDA_HOUSEKEEPING", "1s"), ("SONGDA_DATABASE_CONNECTIONS", "1")];

/// What PostgreSQL knows of the tables when the first statements are planned. Their plans stay in use while connections
/// live.
#[derive(Clone, Copy, PartialEq)]
enum Counted {
    /// Every table is empty: the worst that a count can say.
    Empty,
    /// Nothing: a new database under load from its first second. PostgreSQL then takes a table for a few pages.
    Never,
}

#[tokio::test]
async fn no_statement_reads_more_because_of_history() {
    the_same_statements_read_no_more_beside_old_cases(Counted::Empty).await;
}

#[tokio::test]
async fn no_statement_reads_more_in_a_database_that_was_never_analysed() {
    the_same_statements_read_no_more_beside_old_cases(Counted::Never).await;
}

async fn the_same_statements_read_no_more_beside_old_cases(counted: Counted) {
    let mut desk = Desk::builder().settings(&SETTINGS).without_worker().open().await;
    let mut conn = PgConnection::connect(desk.setting("SONGDA_DATABASE_URL")).await.unwrap();
    plans::watch(&mut conn).await.unwrap();
    copies::count_by_hand(&mut conn).await.unwrap();
    copies::prepare(&mut conn).await.unwrap();
    if counted == Counted::Empty {
        count(&mut conn).await.unwrap();
    }
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
    leave_open(&mut conn, &desk.folder.join("keys"), &town.leaves_one_open().await.unwrap()).await.unwrap();
    copied.end(&mut conn).await.unwrap();

    // The town first lives a day with the plans that were made while the tables were nearly empty. Then it may live
    // another day with the plans after an analyze.
    let rounds: &[bool] = if counted == Counted::Empty { &[false, true] } else { &[false] };
    for &analyzed in rounds {
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
