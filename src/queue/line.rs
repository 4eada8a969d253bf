//! The line to Redis that all commands share. It is made when it is first used, and made anew when it breaks *or falls
//! silent*: a line over which nothing is answered leads nowhere any more, and waiting for the operating system to find
//! that out may take a quarter of an hour.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Pipeline, RedisFuture, RedisResult, Value};

use super::ANSWER_WITHIN;
use crate::domain::clock::Stopwatch;

/// The line. Cloning shares it.
#[derive(Clone)]
pub(super) struct Line {
    client: Client,
    current: Arc<Mutex<Current>>,
}

/// The connection in use.
struct Current {
    connection: ConnectionManager,
    /// Since when commands go unanswered over it. Who asked may be gone: not everybody waits for as long as it takes.
    unanswered: Option<Stopwatch>,
}

impl Line {
    /// Prepares a line.
    pub(super) fn new(client: Client) -> RedisResult<Self> {
        let current = Current { connection: connect(&client)?, unanswered: None };
        Ok(Self { client, current: Arc::new(Mutex::new(current)) })
    }

    /// The connection for one more command; another one if this one is silent.
    fn ask(&self) -> ConnectionManager {
        let mut current = self.lock();
        if current.unanswered.is_some_and(|since| since.elapsed() > ANSWER_WITHIN)
            && let Ok(connection) = connect(&self.client)
        {
            *current = Current { connection, unanswered: None };
        }
        current.unanswered.get_or_insert_with(Stopwatch::start);
        current.connection.clone()
    }

    /// Something came back, if only that the connection broke: then it is made anew anyway.
    fn heard<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        if !answer.as_ref().is_err_and(redis::RedisError::is_timeout) {
            self.lock().unanswered = None;
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(ANSWER_WITHIN))
        .set_response_timeout(Some(ANSWER_WITHIN))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

impl ConnectionLike for Line {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answer = self.ask().req_packed_command(command).await;
            self.heard(answer)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.ask().req_packed_commands(commands, offset, count).await;
            self.heard(answers)
        })
    }

    fn get_db(&self) -> i64 {
        self.lock().connection.get_db()
    }
}
