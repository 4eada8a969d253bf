//! Address books. An address is sealed whole. Only its region is also stored in plain text, for statistics.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::delivery::address::{PostalAddress, SavedAddress};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{AddressId, PersonId};

const ADDRESS: &str = "addresses.address";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    sealed: Vec<u8>,
    is_default: bool,
    updated_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<SavedAddress, StoreError> {
        let address: PostalAddress = keys.open_json(ADDRESS, &self.sealed)?;
        let id = AddressId::from_uuid(self.id);
        Ok(SavedAddress { id, address, is_default: self.is_default, updated_at: self.updated_at })
    }
}

/// A person's addresses, the default one first, then the newest first.
pub async fn of_person(conn: &mut Conn, keys: &KeyRing, person: PersonId) -> Result<Vec<SavedAddress>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, sealed, is_default, updated_at from addresses where person_id = $1 order by is_default desc, id desc",
    )
    .bind(person.uuid())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    id: AddressId,
) -> Result<Option<SavedAddress>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("select id, sealed, is_default, updated_at from addresses where id = $1 and person_id = $2")
            .bind(id.uuid())
            .bind(person.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

pub async fn count(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("select count(*) from addresses where person_id = $1")
        .bind(person.uuid())
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Makes `but` the only address of a person that may be the default one. The caller holds the person.
pub async fn clear_default(conn: &mut Conn, person: PersonId, but: AddressId) -> Result<(), StoreError> {
    sqlx::query("update addresses set is_default = false where person_id = $1 and is_default and id <> $2")
        .bind(person.uuid())
        .bind(but.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn insert(conn: &mut Conn, keys: &KeyRing, person: PersonId, saved: &SavedAddress) -> Result<(), StoreError> {
    sqlx::query(
        "insert into addresses (id, person_id, region, sealed, is_default, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(saved.id.uuid())
    .bind(person.uuid())
    .bind(&saved.address.region)
    .bind(keys.seal_json(ADDRESS, &saved.address)?)
    .bind(saved.is_default)
    .bind(saved.updated_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes one of a person's addresses. Returns false if there is no such address.
pub async fn update(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    saved: &SavedAddress,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update addresses set region = $3, sealed = $4, is_default = $5, updated_at = $6, version = version + 1
         where id = $1 and person_id = $2",
    )
    .bind(saved.id.uuid())
    .bind(person.uuid())
    .bind(&saved.address.region)
    .bind(keys.seal_json(ADDRESS, &saved.address)?)
    .bind(saved.is_default)
    .bind(saved.updated_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes one of a person's addresses. Returns false if there is no such address.
pub async fn remove(conn: &mut Conn, person: PersonId, id: AddressId) -> Result<bool, StoreError> {
    let done = sqlx::query("delete from addresses where id = $1 and person_id = $2")
        .bind(id.uuid())
        .bind(person.uuid())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
