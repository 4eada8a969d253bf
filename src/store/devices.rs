//! Devices: installations of the app on phones, each with the person who signed in there last.

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::notice::device::Device;

const PUSH_TOKEN: &str = "devices.push_token";

/// Adds or replaces an installation. If another person signed in there before, the installation now belongs to the new
/// person: a lent or sold phone gets no messages of its former user.
pub async fn put(conn: &mut Conn, keys: &KeyRing, device: &Device) -> Result<(), StoreError> {
    let token = device.push.as_ref().map(|push| keys.seal(PUSH_TOKEN, push.token.expose().as_bytes())).transpose()?;
    let sql = "insert into devices (installation_id, person_id, platform, push_channel, push_token_sealed, app_version,
                                    os_version, language, push_permission, last_seen_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               on conflict (installation_id) do update set
                   person_id = excluded.person_id, platform = excluded.platform, push_channel = excluded.push_channel,
                   push_token_sealed = excluded.push_token_sealed, app_version = excluded.app_version,
                   os_version = excluded.os_version, language = excluded.language,
                   push_permission = excluded.push_permission, last_seen_at = excluded.last_seen_at,
                   version = devices.version + 1";
    sqlx::query(sql)
        .bind(device.id)
        .bind(device.person)
        .bind(device.platform.as_str())
        .bind(device.push.as_ref().map(|push| &push.channel))
        .bind(token)
        .bind(&device.app_version)
        .bind(&device.os_version)
        .bind(device.language.tag())
        .bind(device.push_permission.as_str())
        .bind(device.last_seen_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a person's device. Returns false if the person has no such device.
pub async fn remove(conn: &mut Conn, person: PersonId, id: InstallationId) -> Result<bool, StoreError> {
    let sql = "delete from devices where installation_id = $1 and person_id = $2";
    Ok(sqlx::query(sql).bind(id).bind(person).execute(conn).await?.rows_affected() == 1)
}
