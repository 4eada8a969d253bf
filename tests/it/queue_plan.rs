//! A page of an agency's queue is read from where it begins: whatever stands before it, and whatever was decided, costs
//! nothing.

use songda::store::cases::QUEUE;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::database::Record;

/// The plan that serves any page, as every connection of ours would make it once it knows the statement.
#[tokio::test]
async fn a_page_of_the_queue_is_read_from_its_index_and_not_sorted() {
    let record = Record::create().await;
    let mut connection = record.store.connection().await.unwrap();
    connection.execute("set plan_cache_mode = force_generic_plan").await.unwrap();
    let prepare = format!("prepare queue (text, text, date, uuid, bigint) as {QUEUE}");
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let explain = "explain execute queue ('public-security', null, '2026-11-25',
                   '00000000-0000-0000-0000-000000000000', 20)";
    let rows = sqlx::raw_sql(explain).fetch_all(&mut *connection).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Scan using cases_in_queue"), "{plan}");
    let begins = plan.lines().find(|line| line.contains("Index Cond")).unwrap_or_default();
    assert!(begins.contains("agency") && begins.contains("ROW(COALESCE(due_on"), "it begins at its place: {plan}");
    assert!(!plan.contains("Sort"), "{plan}");
    drop(connection);
    record.drop().await;
}
