//! Refused attempts to apply for an item (事项, a service) that is not published, or to report a decision on such an
//! item. They are kept as evidence: no approval may be carried out outside the catalogue (目录之外不得实施行政审批).

use super::{Conn, StoreError};
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{ClientId, PersonId};

/// How many characters of an item's code are stored. The item need not exist, so the code may be a text of any length.
const LONGEST_CODE: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    /// The code that the caller named. The item may not exist.
    pub item: &'a ItemCode,
    pub by: By,
    /// The reason, as a code.
    pub reason: &'static str,
}

/// The caller that tried to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Person(PersonId),
    /// A back-office system.
    Client(ClientId),
}

impl By {
    const fn columns(self) -> (Option<PersonId>, Option<ClientId>) {
        match self {
            Self::Person(person) => (Some(person), None),
            Self::Client(client) => (None, Some(client)),
        }
    }
}

pub async fn insert(conn: &mut Conn, refused: &[Refused<'_>], at: Instant) -> Result<(), StoreError> {
    let code = |item: &ItemCode| item.as_str().chars().filter(|c| *c != '\0').take(LONGEST_CODE).collect::<String>();
    let (people, clients): (Vec<_>, Vec<_>) = refused.iter().map(|one| one.by.columns()).unzip();
    let codes: Vec<String> = refused.iter().map(|one| code(one.item)).collect();
    let reasons: Vec<&str> = refused.iter().map(|one| one.reason).collect();
    let sql = "insert into refused_applications (item_code, person_id, client_id, reason, at)
         select item_code, person_id, client_id, reason, $5
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[]) as t (item_code, person_id, client_id, reason)";
    sqlx::query(sql).bind(codes).bind(people).bind(clients).bind(reasons).bind(at).execute(conn).await?;
    Ok(())
}

/// Removes up to `limit` attempts from before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from refused_applications where id = any (array(
        select id from refused_applications where at < $1 order by at limit $2 for update skip locked))";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
