//! The template database, of which every desk gets a copy: migrated, with the catalogue and some officers. It is made
//! once for each server and each build of the tests.

use std::time::UNIX_EPOCH;

use songda::registry::Registry;
use songda::sandbox::{Sandbox, SandboxSettings};
use sqlx::{AssertSqlSafe, Connection};

use super::database::Database;
use super::folder::Folder;
use super::items::AGENCIES;
use super::people::add_staff;
use super::process::songda;
use super::servers::Servers;
use super::settings::desk_settings;

/// Makes a copy of the template database.
pub async fn fresh_database(servers: &Servers) -> Database {
    let template = template(servers).await;
    Database::copy_of(servers, &template).await
}

/// Returns the template's name. Makes the template if this build of the tests has not made it on these servers.
async fn template(servers: &Servers) -> String {
    let built = std::env::current_exe().and_then(|exe| exe.metadata()).and_then(|file| file.modified()).unwrap();
    let name = format!("songda_template_{}", built.duration_since(UNIX_EPOCH).unwrap().as_millis());
    let mut admin = servers.administrator().await;
    let mut lock = admin.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtext('songda_template'))").execute(&mut *lock).await.unwrap();
    let exists =
        sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)").bind(&name);
    if !exists.fetch_one(&mut *lock).await.unwrap() {
        make_template(servers, &name).await;
    }
    lock.commit().await.unwrap();
    name
}

/// Makes the template. It has another name until it is complete, so that a killed run leaves no incomplete template.
async fn make_template(servers: &Servers, name: &str) {
    let mut admin = servers.administrator().await;
    let stale: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname like 'songda\\_template\\_%'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    for old in stale {
        // A template that is in use belongs to another run, and PostgreSQL refuses to drop it.
        let _ = sqlx::query(AssertSqlSafe(format!("drop database {old}"))).execute(&mut admin).await;
    }
    let working = Database::empty(servers).await;
    fill(&working).await;
    working.keep_as(name).await;
}

/// Adds the schema, the catalogue, and an officer of each agency in [`AGENCIES`], all by the program's own commands.
async fn fill(database: &Database) {
    let sandbox = Sandbox::start(SandboxSettings::for_tests(Registry::shipped().twins())).await.unwrap();
    let folder = Folder::create();
    let mut settings = sandbox.client_settings();
    settings.extend(desk_settings(database, &folder).await);
    songda(&["migrate"], &settings).await;
    songda(&["catalog", "load", "--rehearse"], &settings).await;
    for agency in AGENCIES.split(',') {
        songda(&add_staff(&format!("officer.{agency}"), agency, "officer"), &settings).await;
    }
}
