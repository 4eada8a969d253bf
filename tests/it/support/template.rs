//! The database that every desk's own is a copy of: migrated, and loaded with the catalogue, once per server and build of
//! the tests.

use std::time::UNIX_EPOCH;

use songda::registry::Registry;
use songda::sandbox::{Sandbox, SandboxSettings};
use sqlx::{AssertSqlSafe, Connection};

use crate::support::database::Database;
use crate::support::desk::{settings, songda};
use crate::support::folder::Folder;
use crate::support::servers::Servers;

/// The agencies whose officers tests meet.
const AGENCIES: [&str; 3] = ["public-security", "administrative-approval", "human-resources"];

/// A database that is a copy of the template.
pub async fn fresh_database(servers: &Servers) -> Database {
    let template = template(servers).await;
    Database::copy_of(servers, &template).await
}

/// The template's name; it is made if this build of the tests has not made it here yet.
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

/// Under a working name until it is whole, so that a killed run leaves none that is half filled.
async fn make_template(servers: &Servers, name: &str) {
    let mut admin = servers.administrator().await;
    let stale: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname like 'songda\\_template\\_%'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    for old in stale {
        // One that is in use belongs to another run.
        let _ = sqlx::query(AssertSqlSafe(format!("drop database {old}"))).execute(&mut admin).await;
    }
    let working = Database::empty(servers).await;
    fill(&working).await;
    working.keep_as(name).await;
}

/// The schema, the catalogue, and an officer for each agency that tests meet, all by the program's own commands.
async fn fill(database: &Database) {
    let (sandbox, folder) =
        (Sandbox::start(SandboxSettings::for_tests(Registry::shipped().twins())).await.unwrap(), Folder::create());
    let settings = settings(database, &folder, &sandbox, &[]).await;
    songda(&["migrate"], &settings).await;
    songda(&["catalog", "load", "--rehearse"], &settings).await;
    for agency in AGENCIES {
        let username = format!("officer.{agency}");
        songda(&["staff", "add", &username, "--name", "测试人员", "--agency", agency, "--role", "officer"], &settings)
            .await;
    }
}
