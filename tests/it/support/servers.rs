//! The PostgreSQL and the Redis of a test: those that all tests share, or the test's own, which the test can stop and
//! kill.

use std::net::SocketAddr;
use std::process::Stdio;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use reqwest::Url;
use songda::queue::Queue;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::wait::TIMEOUT;

/// The setting with PostgreSQL's address.
pub const DATABASE: &str = "SONGDA_DATABASE_URL";
/// The setting with Redis's address.
pub const REDIS: &str = "SONGDA_REDIS_URL";

#[derive(Clone)]
pub struct Servers {
    postgres: Url,
    redis: String,
}

impl Servers {
    /// Returns the servers that `script/test` started for all tests.
    pub fn shared() -> Self {
        let setting =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set: run the tests with script/test"));
        Self { postgres: setting(DATABASE).parse().unwrap(), redis: setting(REDIS) }
    }

    /// Returns the addresses of PostgreSQL and Redis, if Redis is one server.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        [self.postgres.as_str(), &self.redis].map(|url| Url::parse(url).unwrap().socket_addrs(|| None).unwrap()[0])
    }

    /// Redis's URL.
    pub fn redis(&self) -> &str {
        &self.redis
    }

    /// Connects to Redis, if it is one server, without the product's client.
    pub async fn plain_redis(&self) -> MultiplexedConnection {
        connect(&redis::Client::open(self.redis()).unwrap()).await
    }

    /// Redis's nodes, if it is a cluster.
    pub fn nodes_of_redis(&self) -> Vec<redis::Client> {
        let (access, nodes) = self.redis.strip_prefix("redis+cluster://").unwrap().split_once('@').unwrap();
        nodes.split(',').map(|node| redis::Client::open(format!("redis://{access}@{node}")).unwrap()).collect()
    }

    /// Redis through the product's client, with this prefix.
    pub fn queue(&self, prefix: &str) -> Queue {
        Queue::new(&self.redis.parse().unwrap(), prefix).unwrap()
    }

    /// Returns the URL of a database.
    pub fn database(&self, name: &str) -> String {
        let mut url = self.postgres.clone();
        url.set_path(name);
        url.into()
    }

    /// Connects to the initial database, from which other databases are created and dropped.
    pub async fn administrator(&self) -> PgConnection {
        PgConnection::connect(self.postgres.as_str()).await.unwrap()
    }
}

/// The test's own servers. `script/services` starts them, obeys orders, and stops them when its input closes. So they
/// end with the test, even if the test panics or is killed.
pub struct Own {
    /// The test's own servers. If the test started no PostgreSQL or no Redis, this has the shared one.
    pub servers: Servers,
    script: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Own {
    /// Starts a PostgreSQL, with its files in `var/NAME`.
    pub async fn postgres(name: &str) -> Self {
        Self::start(name, &[DATABASE], "one").await
    }

    /// Starts a Redis, with its files in `var/NAME`.
    pub async fn redis(name: &str) -> Self {
        Self::start(name, &[REDIS], "one").await
    }

    /// Starts a Redis primary with a replica and three sentinels, with their files in `var/NAME`.
    pub async fn redis_with_sentinels(name: &str) -> Self {
        Self::start(name, &[REDIS], "sentinels").await
    }

    /// Starts a Redis cluster of three primaries, with their files in `var/NAME`.
    pub async fn redis_cluster(name: &str) -> Self {
        Self::start(name, &[REDIS], "cluster").await
    }

    /// Starts a PostgreSQL and a Redis, with their files in `var/NAME`.
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
        let orders = script.stdin.take().unwrap();
        let mut answers = BufReader::new(script.stdout.take().unwrap()).lines();
        let postgres = next(&mut answers).await.parse().unwrap();
        let redis = next(&mut answers).await;
        Self { servers: Servers { postgres, redis }, script, orders, answers }
    }

    /// Sends an order to `script/services`, such as `kill redis`, and waits until it is done. That script lists the
    /// orders.
    pub async fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        assert_eq!(next(&mut self.answers).await, "done", "{order}");
    }

    /// Stops the servers, and waits until they ended.
    pub async fn close(self) {
        let Self { mut script, orders, .. } = self;
        drop(orders);
        assert!(script.wait().await.unwrap().success(), "script/services ends with success");
    }
}

/// Connects to a server of Redis. The client's usual time-outs, of a second and less, are too short for a busy machine.
pub async fn connect(redis: &redis::Client) -> MultiplexedConnection {
    let patient =
        AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
    redis.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

async fn next(answers: &mut Lines<BufReader<ChildStdout>>) -> String {
    answers.next_line().await.unwrap().expect("script/services answers")
}
