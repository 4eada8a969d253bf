//! No statement grows with history: whatever lies behind, each reads from where its rows begin, and no more than it needs.

use sqlx::{Connection, PgConnection};

use crate::growth::history::copies::{self, Copied, count, leave_open};
use crate::growth::history::day::{Times, Town};
use crate::growth::history::plans;
use crate::support::desk::{Desk, PASSWORD};
use crate::support::office::KnownOffice;

/// So many days like the first: three thousand cases, twice the rows that a statement may read.
const COPIES: i64 = 300;

#[tokio::test]
async fn no_statement_reads_more_because_of_what_lies_behind() {
    let mut desk = Desk::open_idle(&[("SONGDA_HOUSEKEEPING", "1s")]).await;
    let mut conn = PgConnection::connect(desk.setting("SONGDA_DATABASE_URL")).await.unwrap();
    plans::watch(&mut conn).await.unwrap();
    // What PostgreSQL knows for sure is the worst that it can know: that there is nothing.
    copies::count_by_hand(&mut conn).await.unwrap();
    count(&mut conn).await.unwrap();
    let (server, worker) = (desk.server(None).await, desk.worker(None));
    desk.outside().aim(server.api.base()).await.unwrap();
    let operator = "operator.growth";
    desk.songda(&["staff", "add", operator, "--name", "运维", "--agency", "public-security", "--role", "operator"])
        .await;
    let back_office = server.api.with_token(KnownOffice::new(&desk).await.token(&desk).await);
    let password = PASSWORD.to_owned();
    let (api, sandbox) = (server.api.clone(), desk.outside());
    let town = Town { api, sandbox, password, operator, back_office, decisions: 7 };

    town.lives_a_day(&mut Times::default()).await.unwrap();
    desk.finish().await;
    let copied = Copied::take(&mut conn).await.unwrap();
    copied.copy(&mut conn, 1, COPIES, COPIES).await.unwrap();
    leave_open(&mut conn, &town.leaves_one_open().await.unwrap()).await.unwrap();
    copied.end(&mut conn).await.unwrap();

    // First by the plans that were made when hardly anything was there, then by those that PostgreSQL makes once it has
    // counted.
    for counted in [false, true] {
        if counted {
            count(&mut conn).await.unwrap();
        }
        let before = plans::length(&mut conn).await.unwrap();
        town.lives_a_day(&mut Times::default()).await.unwrap();
        desk.finish().await;
        let statements = plans::since(&mut conn, before).await.unwrap();
        let faults = statements.faults();
        assert!(faults.is_empty(), "counted: {counted}\n{}", faults.join("\n"));
        assert!(statements.count() > 100, "only {} statements were told", statements.count());
    }
    desk.leave_jobs();
    drop((server, worker));
    conn.close().await.unwrap();
    desk.close().await;
}
