//! The second ledger: what PostgreSQL contains.

use std::collections::BTreeMap;

use songda::domain::kernel::ids::{NotificationId, ParcelId};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::town::Town;

#[derive(FromRow)]
pub struct Case {
    pub id: Uuid,
    pub number: String,
    /// The reporting system, or `mobile`.
    pub source: String,
    /// The reporting system's reference for the case.
    pub source_ref: Option<String>,
}

/// A notification that must be pushed: the database has at least one push job for it.
pub struct Push {
    pub event: String,
    /// True if the outcome of an attempt is unknown.
    pub unclear: bool,
    /// How the pushes ended, lane by lane, with the last attempts.
    pub story: String,
}

pub struct Parcel {
    pub carrier: String,
    pub order_no: String,
    pub waybill: Option<String>,
    /// How the jobs ended, with the last attempts.
    pub story: String,
}

pub struct Record {
    pub cases: Vec<Case>,
    /// By case number.
    pub pushes: BTreeMap<String, Vec<Push>>,
    /// By case number.
    pub parcels: BTreeMap<String, Vec<Parcel>>,
    pub attempts: i64,
    /// Deadlocks since PostgreSQL's last crash.
    pub deadlocks: i64,
    /// Jobs that are done without an attempt.
    pub untried: i64,
}

#[derive(FromRow)]
struct Notification {
    id: Uuid,
    case_number: String,
    event: String,
}

/// The course of the jobs of one notification or parcel (`subject`), as text.
#[derive(FromRow, Default, Clone)]
struct Story {
    subject: String,
    unclear: bool,
    story: String,
}

impl Record {
    pub async fn read(town: &Town) -> Self {
        let pool = &town.database;
        let untried = "select count(*) from jobs j where state = 'done'
                       and not exists (select from attempts a where a.job_id = j.id)";
        let count = async |of| sqlx::query_scalar::<_, i64>(of).fetch_one(pool).await.unwrap();
        Self {
            cases: sqlx::query_as("select id, number, source, source_ref from cases").fetch_all(pool).await.unwrap(),
            pushes: pushes(town).await,
            parcels: parcels(town).await,
            attempts: count("select count(*) from attempts").await,
            deadlocks: count("select deadlocks from pg_stat_database where datname = current_database()").await,
            untried: count(untried).await,
        }
    }
}

async fn pushes(town: &Town) -> BTreeMap<String, Vec<Push>> {
    let stories = stories(town, "push").await;
    let all = sqlx::query_as("select id, case_number, event from notifications").fetch_all(&town.database);
    let all: Vec<Notification> = all.await.unwrap();
    grouped(all.into_iter().filter_map(|Notification { id, case_number, event }| {
        let Story { unclear, story, .. } = stories.get(&NotificationId::from_uuid(id).to_string())?.clone();
        Some((case_number, Push { event, unclear, story }))
    }))
}

async fn parcels(town: &Town) -> BTreeMap<String, Vec<Parcel>> {
    let orders = stories(town, "order_parcel").await;
    let all = "select p.id, c.number, p.carrier, p.order_no, p.waybill from parcels p join cases c on c.id = p.case_id";
    let all: Vec<(Uuid, String, String, String, Option<String>)> =
        sqlx::query_as(all).fetch_all(&town.database).await.unwrap();
    grouped(all.into_iter().map(|(id, case_number, carrier, order_no, waybill)| {
        let story = orders.get(&ParcelId::from_uuid(id).to_string()).cloned().unwrap_or_default().story;
        (case_number, Parcel { carrier, order_no, waybill, story })
    }))
}

/// How the jobs of a kind ended, by the id of their notification or parcel: lane by lane, with the last attempts.
async fn stories(town: &Town, kind: &str) -> BTreeMap<String, Story> {
    let stories = "with jobs_of_kind as (
                      select split_part(j.key, ':', 2) as subject, j.lane, j.state,
                             coalesce(bool_or(a.outcome in ('lost', 'ambiguous', 'broken')), false) as unclear,
                             right(string_agg(concat(a.ended_at::time(3), ' ', a.outcome, ' (', a.detail, ')'), ', '
                                              order by a.fence), 900) as attempts
                      from jobs j left join attempts a on a.job_id = j.id where j.kind = $1 group by 1, 2, 3
                  )
                  select subject, bool_or(unclear) as unclear,
                         string_agg(concat_ws(' ', lane, state, attempts), '; ' order by lane desc) as story
                  from jobs_of_kind group by 1";
    let stories: Vec<Story> = sqlx::query_as(stories).bind(kind).fetch_all(&town.database).await.unwrap();
    stories.into_iter().map(|story| (story.subject.clone(), story)).collect()
}

fn grouped<T>(rows: impl Iterator<Item = (String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut groups: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}
