//! Where the PostgreSQL and the Redis of a test are: those that all tests share, or one of its own, to be stopped and
//! killed.

use std::net::SocketAddr;
use std::process::Stdio;

use reqwest::Url;
use songda::queue::Queue;
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
    redis: String,
}

impl Servers {
    /// Those that all tests share.
    pub fn shared() -> Self {
        let setting =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set: run the tests with script/test"));
        Self { postgres: setting(DATABASE).parse().unwrap(), redis: setting(REDIS) }
    }

    /// Where PostgreSQL and Redis listen, if that is one server.
    pub fn places(&self) -> [SocketAddr; 2] {
        [self.postgres.as_str(), &self.redis].map(|url| Url::parse(url).unwrap().socket_addrs(|| None).unwrap()[0])
    }

    /// Redis.
    pub fn redis(&self) -> &str {
        &self.redis
    }

    /// Its nodes, if it is a cluster.
    pub fn nodes_of_redis(&self) -> Vec<redis::Client> {
        let (access, nodes) = self.redis.strip_prefix("redis+cluster://").unwrap().split_once('@').unwrap();
        nodes.split(',').map(|node| redis::Client::open(format!("redis://{access}@{node}")).unwrap()).collect()
    }

    /// Redis, as a process sees it whose keys begin with this.
    pub fn queue(&self, prefix: &str) -> Queue {
        Queue::new(&self.redis.parse().unwrap(), prefix).unwrap()
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
        Self::start(name, &[DATABASE], "one").await
    }

    /// A Redis. Its files are in `var/NAME`.
    pub async fn redis(name: &str) -> Self {
        Self::start(name, &[REDIS], "one").await
    }

    /// A Redis that is a primary and its replica, watched by three sentinels. Their files are in `var/NAME`.
    pub async fn redis_with_sentinels(name: &str) -> Self {
        Self::start(name, &[REDIS], "sentinels").await
    }

    /// A Redis that is a cluster of three primaries. Their files are in `var/NAME`.
    pub async fn redis_cluster(name: &str) -> Self {
        Self::start(name, &[REDIS], "cluster").await
    }

    /// One of each. Their files are in `var/NAME`.
    pub async fn both(name: &str) -> Self {
        Self::start(name, &[DATABASE, REDIS], "one").await
    }

    async fn start(name: &str, own: &[&str], form_of_redis: &str) -> Self {
        let mut command = Command::new("script/services");
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args([name, "-"]).env("SERVICES_REDIS", form_of_redis);
        for setting in own {
            command.env_remove(setting);
        }
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let mut answers = BufReader::new(answers).lines();
        let (postgres, redis) = (next(&mut answers).await.parse().unwrap(), next(&mut answers).await);
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
