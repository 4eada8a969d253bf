//! An empty database with the schema, for one test.

use songda::domain::clock::fresh_uuid;
use songda::store::{KeyRing, MIGRATOR, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The database. A test that fails leaves it behind to be looked at.
pub struct Database {
    admin: String,
    name: String,
    store: Store,
}

impl Database {
    /// Creates it beside the one that `SONGDA_DATABASE_URL` names.
    pub async fn create() -> Self {
        let admin = std::env::var("SONGDA_DATABASE_URL").expect("SONGDA_DATABASE_URL is set by script/test");
        let name = format!("songda_test_{}", fresh_uuid().simple());
        let mut connection = PgConnection::connect(&admin).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        let mut url: reqwest::Url = admin.parse().unwrap();
        url.set_path(&name);
        let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
        let store = Store::new(url.as_str(), 16, "test", keys).unwrap();
        MIGRATOR.run(store.pool()).await.unwrap();
        Self { admin, name, store }
    }

    /// Its store.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Drops it.
    pub async fn drop(self) {
        self.store.pool().close().await;
        let mut connection = PgConnection::connect(&self.admin).await.unwrap();
        let sql = format!("drop database {} with (force)", self.name);
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
}
