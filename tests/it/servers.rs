//! Where the PostgreSQL and the Redis of a test are: those that all tests share, or one of its own, to be stopped and
//! killed.

use std::net::SocketAddr;
use std::process::Stdio;

use reqwest::Url;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The setting that says where PostgreSQL is.
pub const DATABASE: &str = "SONGDA_DATABASE_URL";
/// The setting that says where Redis is.
pub const REDIS: &str = "SONGDA_REDIS_URL";

/// Their addresses.
#[derive(Clone)]
pub struct Servers {
    postgres: Url,
    redis: Url,
}

impl Servers {
    /// Those that all tests share.
    pub fn shared() -> Self {
        let setting =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set: run the tests with script/test"));
        Self { postgres: setting(DATABASE).parse().unwrap(), redis: setting(REDIS).parse().unwrap() }
    }

    /// Where PostgreSQL and Redis listen.
    pub fn places(&self) -> [SocketAddr; 2] {
        [&self.postgres, &self.redis].map(|url| url.socket_addrs(|| None).unwrap()[0])
    }

    /// Redis.
    pub fn redis(&self) -> &str {
        self.redis.as_str()
    }

    /// A database of this PostgreSQL.
    pub fn database(&self, name: &str) -> String {
        let mut url = self.postgres.clone();
        url.set_path(name);
        url.into()
    }

    /// A connection to the database that was there first, to administer others from.
    pub async fn administrator(&self) -> PgConnection {
        PgConnection::connect(self.postgres.as_str()).await.unwrap()
    }
}

/// Servers of the test's own. `script/services` starts it, obeys, and stops them when the pipe of its orders closes:
/// so they die with the test, even with one that panics or is killed.
pub struct Own {
    /// They, and the shared one of a kind that is not among them.
    pub servers: Servers,
    script: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Own {
    /// A PostgreSQL. Its files are in `var/NAME`.
    pub async fn postgres(name: &str) -> Self {
        Self::start(name, &[DATABASE]).await
    }

    /// A Redis. Its files are in `var/NAME`.
    pub async fn redis(name: &str) -> Self {
        Self::start(name, &[REDIS]).await
    }

    /// One of each. Their files are in `var/NAME`.
    pub async fn both(name: &str) -> Self {
        Self::start(name, &[DATABASE, REDIS]).await
    }

    async fn start(name: &str, own: &[&str]) -> Self {
        let mut command = Command::new("script/services");
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args([name, "-"]);
        for setting in own {
            command.env_remove(setting);
        }
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let mut answers = BufReader::new(answers).lines();
        let [postgres, redis] = [next(&mut answers).await, next(&mut answers).await].map(|url| url.parse().unwrap());
        Self { servers: Servers { postgres, redis }, script, orders, answers }
    }

    /// Gives an order; `script/services` lists them.
    pub async fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        assert_eq!(next(&mut self.answers).await, "done", "{order}");
    }

    /// Stops it, and waits until it is gone.
    pub async fn close(self) {
        let Self { mut script, orders, .. } = self;
        drop(orders);
        assert!(script.wait().await.unwrap().success(), "script/services ends well");
    }
}

async fn next(answers: &mut Lines<BufReader<ChildStdout>>) -> String {
    answers.next_line().await.unwrap().expect("script/services answers")
}
