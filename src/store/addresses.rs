//! Address books. An address is sealed (encrypted) as a whole. Only its region is also stored in plain text, for
//! statistics.

use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::delivery::address::SavedAddress;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{AddressId, PersonId};

const ADDRESS: &str = "addresses.address";

macro_rules! select {
    ($rest:literal) => {
        concat!("select id, sealed, is_default, updated_at from addresses ", $rest)
    };
}

#[derive(FromRow)]
struct Row {
    id: AddressId,
    sealed: Vec<u8>,
    is_default: bool,
    updated_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<SavedAddress, StoreError> {
        let Self { id, sealed, is_default, updated_at } = self;
        Ok(SavedAddress {
            id,
            address: keys.open_json(&Cell::of(ADDRESS, id.uuid()), &sealed)?,
            is_default,
            updated_at,
        })
    }
}

/// Returns a person's addresses: the default address first, then the newest first.
pub async fn of_person(conn: &mut Conn, keys: &KeyRing, person: PersonId) -> Result<Vec<SavedAddress>, StoreError> {
    let sql = select!("where person_id = $1 order by is_default desc, id desc");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(person).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    id: AddressId,
) -> Result<Option<SavedAddress>, StoreError> {
    let sql = select!("where id = $1 and person_id = $2");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).bind(person).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

pub async fn count(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let sql = "select count(*) from addresses where person_id = $1";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_one(conn).await?)
}

/// Removes the default mark from all of a person's addresses but `except`. The caller has locked the person.
pub async fn clear_default(conn: &mut Conn, person: PersonId, except: AddressId) -> Result<(), StoreError> {
    let sql = "update addresses set is_default = false where person_id = $1 and is_default and id <> $2";
    sqlx::query(sql).bind(person).bind(except).execute(conn).await?;
    Ok(())
}

pub async fn insert(conn: &mut Conn, keys: &KeyRing, person: PersonId, saved: &SavedAddress) -> Result<(), StoreError> {
    let sql = "insert into addresses (id, person_id, region, sealed, is_default, created_at, updated_at)
               values ($1, $2, $3, $4, $5, $6, $6)";
    write(conn, keys, sql, person, saved).await.map(drop)
}

/// Changes one of a person's addresses. Returns false if the person has no such address.
pub async fn update(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    saved: &SavedAddress,
) -> Result<bool, StoreError> {
    let sql = "update addresses set region = $3, sealed = $4, is_default = $5, updated_at = $6, version = version + 1
               where id = $1 and person_id = $2";
    write(conn, keys, sql, person, saved).await
}

/// Inserts or updates an address by the statement `sql`. Returns false if the statement finds no row to change.
async fn write(
    conn: &mut Conn,
    keys: &KeyRing,
    sql: &'static str,
    person: PersonId,
    saved: &SavedAddress,
) -> Result<bool, StoreError> {
    let sealed = keys.seal_json(&Cell::of(ADDRESS, saved.id.uuid()), &saved.address)?;
    let done = sqlx::query(sql)
        .bind(saved.id)
        .bind(person)
        .bind(&saved.address.region)
        .bind(sealed)
        .bind(saved.is_default)
        .bind(saved.updated_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes one of a person's addresses. Returns false if the person has no such address.
pub async fn remove(conn: &mut Conn, person: PersonId, id: AddressId) -> Result<bool, StoreError> {
    let sql = "delete from addresses where id = $1 and person_id = $2";
    Ok(sqlx::query(sql).bind(id).bind(person).execute(conn).await?.rows_affected() == 1)
}
