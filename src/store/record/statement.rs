//! Composes the statement that saves a record. It contains only the parts for which the record has rows, because
//! PostgreSQL spends time on every part of a statement, even on a part without rows.

use serde::Serialize;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::types::Json;
use sqlx::{Arguments, AssertSqlSafe};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::Record;
use super::parts::{self, Part};
use super::rows::{bytea, json};
use crate::domain::kernel::clock::Instant;
use crate::store::seal::{Cell, KeyRing};
use crate::store::{Conn, StoreError, cases, idempotency};

/// A statement that is being composed. Its text consists of constants only. All values are arguments.
pub struct Statement {
    parts: String,
    results: String,
    arguments: PgArguments,
}

/// One row of the statement's result. It reports a row that a part of the statement wrote.
#[derive(FromRow)]
pub struct PartResult {
    /// [`parts::UPDATED`], [`parts::OFFERED`] or [`parts::ANSWERED`].
    pub about: String,
    pub id: Option<Uuid>,
    /// The lane of the job, if the row is a job.
    pub lane: Option<String>,
}

impl Statement {
    pub fn of(keys: &KeyRing, record: &Record, now: Instant) -> Result<Self, StoreError> {
        let mut statement = Self::at(now)?;
        statement.add(&parts::ENTERED, &record.people)?;
        statement.hold(record)?;
        statement.add(&parts::OPENED, &sealed(keys, cases::DETAIL, &record.new_cases, |row| row.id)?)?;
        statement.add(&parts::SAVED, &sealed(keys, cases::DETAIL, &record.cases, |row| row.id)?)?;
        statement.add(&parts::SUBMITTED, &record.drafts)?;
        statement.add(&parts::HANDED_IN, &record.files)?;
        statement.add(&parts::REMEMBERED, &sealed(keys, cases::CAUSE, &record.history, |row| row.id)?)?;
        statement.add(&parts::NOTIFIED, &record.notifications)?;
        statement.add(&parts::SENT, &record.parcels)?;
        statement.add(&parts::PROMISED, &record.jobs)?;
        statement.add(&parts::REPLIED, &record.answers)?;
        Ok(statement)
    }

    fn at(now: Instant) -> Result<Self, StoreError> {
        // Gives `$1` and `$2` a type even if no part uses them.
        let parts = "with moments as (select $1::timestamptz, $2::timestamptz)".to_owned();
        let results = "select null::text as about, null::uuid as id, null::text as lane where false".to_owned();
        let mut statement = Self { parts, results, arguments: PgArguments::default() };
        statement.bind(now)?;
        statement.bind(now - idempotency::KEPT)?;
        Ok(statement)
    }

    /// Adds [`parts::HELD`]. It is always included, because other parts join on it.
    fn hold(&mut self, record: &Record) -> Result<(), StoreError> {
        let before = if record.people.is_empty() { "" } else { parts::ENTERED_BEFORE };
        self.append(&parts::HELD.replace("$after", before), &record.changes)
    }

    /// Adds a part to the statement if there are rows for it.
    fn add<R: Serialize>(&mut self, part: &Part, rows: &[R]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        if let Some(results) = part.results {
            self.results.push_str(" union all ");
            self.results.push_str(results);
        }
        self.append(part.sql, rows)
    }

    fn append<R: Serialize>(&mut self, sql: &str, rows: &[R]) -> Result<(), StoreError> {
        self.bind(Json(rows))?;
        self.parts.push(',');
        self.parts.push_str(&sql.replace("$rows", &format!("${}", self.arguments.len())));
        Ok(())
    }

    fn bind<'v, V>(&mut self, value: V) -> Result<(), StoreError>
    where
        V: sqlx::Encode<'v, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        self.arguments.add(value).map_err(|error| StoreError::Broken(error.to_string()))
    }

    pub async fn run(self, conn: &mut Conn) -> Result<Vec<PartResult>, StoreError> {
        let Self { parts, results, arguments } = self;
        let text = AssertSqlSafe(format!("{parts}\n{results}"));
        Ok(sqlx::query_as_with(text, arguments).fetch_all(conn).await?)
    }
}

/// Seals (encrypts) one member of each row. `column` is `table.member`, and the sealed member gets the name
/// `member_sealed`. An empty object is left out. `id` returns the id of a row.
fn sealed<R: Serialize>(
    keys: &KeyRing,
    column: &'static str,
    rows: &[R],
    id: impl Fn(&R) -> Uuid,
) -> Result<Vec<Value>, StoreError> {
    let member = column.rsplit('.').next().unwrap_or(column);
    let seal = |row: &R| {
        let cell = Cell::of(column, id(row));
        let mut row = json(column, row)?;
        match row.as_object_mut().and_then(|row| row.remove(member)) {
            Some(Value::Object(value)) if value.is_empty() => {}
            Some(value) => row[format!("{member}_sealed")] = bytea(&keys.seal_json(&cell, &value)?).into(),
            None => {}
        }
        Ok(row)
    };
    rows.iter().map(seal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::act::Act;
    use crate::domain::kernel::clock::Instant;
    use crate::domain::kernel::ids::{CaseId, PersonId};
    use crate::domain::people::acting::Acting;
    use crate::store::record::ChangeKind;

    #[test]
    fn a_statement_contains_only_the_parts_that_have_rows() {
        let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
        let mut record = Record::default();
        let case = CaseId::from_uuid(Uuid::from_u128(1));
        record.change(PersonId::from_uuid(Uuid::from_u128(2)), ChangeKind::Case, case);
        let silent = Statement::of(&keys, &record, Instant::default()).unwrap();
        assert_eq!(silent.arguments.len(), 3);
        assert!(silent.parts.contains("insert into changes") && !silent.parts.contains("case_history"));

        let acting = Acting::own(PersonId::from_uuid(Uuid::from_u128(2))).on_behalf();
        record.remember(case, &acting, Act::Submitted, serde_json::json!({"a": 1}), Instant::default());
        let told = Statement::of(&keys, &record, Instant::default()).unwrap();
        assert_eq!(told.arguments.len(), 4);
        assert!(told.parts.contains("jsonb_populate_recordset(null::case_history, $4)"), "{}", told.parts);
        assert!(!told.parts.contains("$rows") && !told.parts.contains("$after"));
    }
}
