//! Devices: installations of the app on phones, as the people who signed in there described them.

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::notice::device::Device;

pub(super) const PUSH_TOKEN: &str = "devices.push_token";

/// The maximum number of a person's devices. Each installation of an app is one, also on the same phone.
const MOST: i64 = 10;

/// Adds or replaces a person's installation. If the person has too many, those that were not seen for longest are
/// forgotten. If another installation, or another person, has the same push token, it loses the token: a lent or sold
/// phone gets no messages of its former user. The rows of other people are not changed otherwise, because the client
/// chooses the id of an installation.
pub async fn put(conn: &mut Conn, keys: &KeyRing, device: &Device) -> Result<(), StoreError> {
    let hash = device.push.as_ref().map(|push| keys.hash(PUSH_TOKEN, push.token.expose()));
    let sealed = match (&device.push, &hash) {
        (Some(push), Some(hash)) => Some(keys.seal(&Cell::keyed(PUSH_TOKEN, &[hash]), push.token.expose().as_bytes())?),
        _ => None,
    };
    let sql = "with moved as (
                   update devices set push_token_sealed = null, push_token_hash = null
                   where push_token_hash = $6 and push_channel = $4 and (person_id, installation_id) <> ($2, $1)
               ), forgotten as (
                   delete from devices where person_id = $2 and installation_id = any (array(
                       select installation_id from devices where person_id = $2 and installation_id <> $1
                       order by last_seen_at desc offset $12))
               )
               insert into devices (installation_id, person_id, platform, push_channel, push_token_sealed,
                                    push_token_hash, app_version, os_version, language, push_permission, last_seen_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               on conflict on constraint devices_pkey do update set
                   platform = excluded.platform, push_channel = excluded.push_channel,
                   push_token_sealed = excluded.push_token_sealed, push_token_hash = excluded.push_token_hash,
                   app_version = excluded.app_version, os_version = excluded.os_version, language = excluded.language,
                   push_permission = excluded.push_permission, last_seen_at = excluded.last_seen_at,
                   version = devices.version + 1";
    sqlx::query(sql)
        .bind(device.id)
        .bind(device.person)
        .bind(device.platform.as_str())
        .bind(device.push.as_ref().map(|push| &push.channel))
        .bind(sealed)
        .bind(hash)
        .bind(&device.app_version)
        .bind(&device.os_version)
        .bind(device.language.tag())
        .bind(device.push_permission.as_str())
        .bind(device.last_seen_at)
        .bind(MOST - 1)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a person's device. Returns false if the person has no such device.
pub async fn remove(conn: &mut Conn, person: PersonId, id: InstallationId) -> Result<bool, StoreError> {
    let sql = "delete from devices where installation_id = $1 and person_id = $2";
    Ok(sqlx::query(sql).bind(id).bind(person).execute(conn).await?.rows_affected() == 1)
}
