//! Makes years of history from one day: every row that the product wrote is copied with other ids, hashes and numbers,
//! and an earlier time. So each copy has the size, the references and the columns of a real row.

use std::fs;
use std::path::Path;

use songda::store::KeyRing;
use songda::store::seal::Cell;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::Failure;

/// The tables that grow, each after the tables to which it refers, and the number of days for which housekeeping keeps
/// the table's rows; `None` if they are kept for ever.
pub const TABLES: [(&str, Option<i64>); 26] = [
    ("people", None),
    ("wechat_accounts", None),
    ("devices", None),
    ("consents", None),
    ("addresses", None),
    ("sessions", Some(60)),
    ("refresh_tokens", Some(60)),
    ("login_codes", Some(1)),
    ("login_code_tries", Some(1)),
    ("identity_tries", Some(1)),
    ("drafts", Some(90)),
    ("uploads", None),
    ("cases", None),
    ("case_supplements", None),
    ("case_history", None),
    ("notifications", None),
    ("parcels", None),
    ("parcel_scans", None),
    ("callbacks", Some(183)),
    ("changes", Some(90)),
    ("jobs", Some(366)),
    ("attempts", Some(366)),
    ("idempotent_answers", Some(30)),
    ("push_receipts", Some(30)),
    ("refused_applications", None),
    ("joined_people", None),
];

/// The length of the history in days.
const DAYS: i64 = 3 * 365;

pub struct Copied {
    cases: i64,
}

/// A copy of an id has the same random bits and an earlier time in the upper 48 bits.
const EARLIER: &str = "create function copied.earlier(id uuid, milliseconds bigint) returns uuid language sql immutable
    return encode(int8send(('x' || encode(substr(uuid_send(id), 1, 8), 'hex'))::bit(64)::bigint - (milliseconds << 16))
                  || substr(uuid_send(id), 9), 'hex')::uuid";
/// In a copy of a name, the number of the copy, as eight hexadecimal digits, replaces the eight characters after the
/// prefix (`cas_`), or the first eight characters if the name has no prefix.
const OTHER: &str = "create function copied.other(name text, copy bigint) returns text language sql immutable
    return overlay(name placing lpad(to_hex(copy), 8, '0') from position('_' in name) + 1)";
/// Columns with texts that must be unique, so each copy gets another text.
const NAMES: &str = "number case_number source_ref order_no waybill subject key reference";

/// Creates the schema for the copied rows. PostgreSQL forgets all plans when a schema is created or dropped. So a test of
/// plans that were made while the tables were small calls this before the first of them, and leaves the schema there.
pub async fn prepare(conn: &mut PgConnection) -> Result<(), Failure> {
    for sql in ["create schema copied", EARLIER, OTHER] {
        sqlx::raw_sql(sql).execute(&mut *conn).await?;
    }
    Ok(())
}

impl Copied {
    /// Copies all rows to the schema, except jobs that are not done.
    pub async fn take(conn: &mut PgConnection) -> Result<Self, Failure> {
        for (table, _) in TABLES {
            let done = if table == "jobs" { "where state = 'done'" } else { "" };
            let sql = format!("create table copied.{table} as select * from public.{table} {done}");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await?;
        }
        let cases = sqlx::query_scalar("select count(*) from copied.cases").fetch_one(conn).await?;
        Ok(Self { cases })
    }

    /// Returns the number of copies that make this many cases.
    pub const fn copies(&self, cases: i64) -> i64 {
        cases / self.cases
    }

    /// Writes the copies with the numbers `from` to `to`, of `all` copies, in one transaction. The copy with the
    /// highest number is the oldest.
    pub async fn copy(&self, conn: &mut PgConnection, from: i64, to: i64, all: i64) -> Result<(), Failure> {
        let apart = DAYS * 24 * 3_600 * 1_000 / all;
        let mut tx = conn.begin().await?;
        for (table, kept) in TABLES {
            let to = kept.map_or(to, |days| to.min(all * days / DAYS));
            let (names, values) = columns(&mut tx, table, apart).await?;
            let sql = format!(
                "insert into public.{table} ({names})
                 select {values} from generate_series({to}::bigint, {from}, -1) as copy cross join copied.{table} as row"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Drops the copied rows of the day.
    pub async fn end(self, conn: &mut PgConnection) -> Result<(), Failure> {
        for (table, _) in TABLES {
            sqlx::raw_sql(AssertSqlSafe(format!("drop table copied.{table}"))).execute(&mut *conn).await?;
        }
        Ok(())
    }
}

/// Turns autovacuum off, so that only [`count`] updates PostgreSQL's statistics.
pub async fn count_by_hand(conn: &mut PgConnection) -> Result<(), Failure> {
    for (table, _) in TABLES {
        let sql = format!("alter table {table} set (autovacuum_enabled = off)");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Updates PostgreSQL's statistics and writes a checkpoint, as PostgreSQL does by itself after some time.
pub async fn count(conn: &mut PgConnection) -> Result<(), Failure> {
    for sql in ["vacuum analyze", "checkpoint"] {
        sqlx::raw_sql(sql).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Makes one in a hundred of the decided cases wait for an officer again. They get the state of the open case with the
/// number `like`. Only cases of that case's agency are changed. `folder` has the keys, because the detail of a case is
/// sealed for its row, so each of these cases gets its own.
pub async fn leave_open(conn: &mut PgConnection, folder: &Path, like: &str) -> Result<(), Failure> {
    const AT_ONCE: usize = 1_000;
    let keys = KeyRing::parse(&fs::read_to_string(folder.join("key-ring"))?)?;
    let cell = |id| Cell::of("cases.detail", id);
    let (open, sealed): (Uuid, Vec<u8>) = sqlx::query_as("select id, detail_sealed from cases where number = $1")
        .bind(like)
        .fetch_one(&mut *conn)
        .await?;
    let detail = keys.open(&cell(open), &sealed)?;
    let chosen: Vec<Uuid> = sqlx::query_scalar(
        "select c.id from cases c join cases o on o.number = $1 and c.agency = o.agency
         where c.state in ('granted', 'denied') and hashtext(c.number) % 100 = 0",
    )
    .bind(like)
    .fetch_all(&mut *conn)
    .await?;
    for some in chosen.chunks(AT_ONCE) {
        let details = some.iter().map(|id| keys.seal(&cell(*id), &detail)).collect::<Result<Vec<_>, _>>()?;
        sqlx::query(
            "update cases c set state = o.state, detail_sealed = t.detail,
                 due_on = o.due_on + abs(hashtext(c.number)) % 20, accepted_on = null, promised_on = null, legal_on = null
             from unnest($2::uuid[], $3::bytea[]) as t (id, detail), cases o
             where c.id = any (array[t.id]) and o.number = $1",
        )
        .bind(like)
        .bind(some)
        .bind(details)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct Column {
    name: String,
    kind: String,
}

/// Returns the names of a table's columns, and the SQL expressions for the values of these columns in a copy.
async fn columns(conn: &mut PgConnection, table: &str, apart: i64) -> Result<(String, String), Failure> {
    let columns: Vec<Column> = sqlx::query_as(
        "select attname::text as name, format_type(atttypid, null) as kind from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped and attidentity = '' order by attnum",
    )
    .bind(table)
    .fetch_all(conn)
    .await?;
    let value = |Column { name, kind }: &Column| match kind.as_str() {
        "uuid" => format!("copied.earlier(row.{name}, copy * {apart})"),
        "timestamp with time zone" => format!("row.{name} - copy * interval '{apart} milliseconds'"),
        "date" => format!("row.{name} - (copy * {apart} / 86400000)::int"),
        "bytea" if name.ends_with("_hash") || name == "dedup_key" => format!("sha256(row.{name} || int8send(copy))"),
        "text" if NAMES.split(' ').any(|own| own == name) => format!("copied.other(row.{name}, copy)"),
        _ => format!("row.{name}"),
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> = columns.iter().map(value).collect();
    Ok((names.join(", "), values.join(", ")))
}
