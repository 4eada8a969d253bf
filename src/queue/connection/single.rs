//! One connection to a server, shared by all commands to that server. It opens on first use. It is replaced when it
//! breaks, when its server stops taking writes, or when it is *silent*: no answer came within the time-out. The check
//! for silence is needed because the operating system may take a quarter of an hour to notice a dead connection.

use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::error_class::ErrorClass;
use crate::queue::connection::time_out::ANSWER_WITHIN;
use crate::single_flight::SingleFlight;

/// Cloning shares the connection.
#[derive(Clone)]
pub struct SharedConnection {
    endpoint: Endpoint,
    current: Arc<SingleFlight<Connection, RedisError>>,
}

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// Measures how long the server has been silent. Starts at the first command that is sent after an answer; `None`
    /// if no command waits for an answer. The connection measures this itself, because a caller may give up before the
    /// time-out.
    unanswered: Arc<Mutex<Option<Stopwatch>>>,
}

impl SharedConnection {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, current: Arc::new(SingleFlight::new()) }
    }

    /// The server of this connection, for callers that need a separate connection.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the open connection for one command. Opens another connection if no connection is open, or if the
    /// current connection is silent.
    async fn connection(&self) -> RedisResult<Connection> {
        self.current.forget_if(Connection::is_silent);
        let open = || {
            let endpoint = self.endpoint.clone();
            async move { Ok(Connection { redis: endpoint.connect(ANSWER_WITHIN).await?, unanswered: Arc::default() }) }
        };
        let connection = self.current.get(open).await?;
        connection.lock().get_or_insert_with(Stopwatch::start);
        Ok(connection)
    }

    /// Records the answer to a command over the connection `used`. A broken connection is replaced at the next command.
    fn record(&self, used: &Connection, answer: Result<&[Value], &RedisError>) {
        match ErrorClass::of(answer) {
            ErrorClass::Silent => {}
            ErrorClass::Broken => {
                self.current.forget_if(|current| Arc::ptr_eq(&current.unanswered, &used.unanswered));
            }
            ErrorClass::Redirected | ErrorClass::None => *used.lock() = None,
        }
    }
}

impl Connection {
    fn is_silent(&self) -> bool {
        self.lock().is_some_and(|since| since.elapsed() > ANSWER_WITHIN)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stopwatch>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionLike for SharedConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let answer = connection.redis.req_packed_command(command).await;
            self.record(&connection, answer.as_ref().map(slice::from_ref));
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let answers = connection.redis.req_packed_commands(commands, offset, count).await;
            self.record(&connection, answers.as_deref());
            answers
        })
    }

    /// Always 0, because no command that is used here depends on the database number.
    fn get_db(&self) -> i64 {
        0
    }
}
