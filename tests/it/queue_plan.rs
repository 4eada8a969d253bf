//! A page of an agency's queue is read from where it begins: whatever stands before it, and whatever was decided, costs
//! nothing. So is a page of its parcels.

use songda::store::cases::QUEUE;
use songda::store::parcels::TO_SERVE;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::database::Record;

#[tokio::test]
async fn a_page_of_the_queue_is_read_from_its_index_and_not_sorted() {
    is_read_from("cases_in_queue", QUEUE, "null", "ROW(COALESCE(due_on").await;
}

#[tokio::test]
async fn a_page_of_an_agencys_parcels_is_read_from_its_index_and_not_sorted() {
    is_read_from("parcels_to_serve", TO_SERVE, "'ordered'", "ROW(COALESCE(serve_by").await;
}

/// The plan that serves any page of a list, as every connection of ours would make it once it knows the statement.
async fn is_read_from(index: &str, statement: &str, state: &str, place: &str) {
    let record = Record::create().await;
    let mut connection = record.store.connection().await.unwrap();
    connection.execute("set plan_cache_mode = force_generic_plan").await.unwrap();
    let prepare = format!("prepare page (text, text, date, uuid, bigint) as {statement}");
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let explain = format!(
        "explain execute page ('public-security', {state}, '2026-11-25', '00000000-0000-0000-0000-000000000000', 20)"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains(&format!("Index Scan using {index}")), "{plan}");
    let begins = plan.lines().find(|line| line.contains("Index Cond")).unwrap_or_default();
    assert!(begins.contains("agency") && begins.contains(place), "it begins at its place: {plan}");
    assert!(!plan.contains("Sort"), "{plan}");
    drop(connection);
    record.drop().await;
}
