//! A connection to one server that all commands to it share. It opens on first use, and is replaced when it breaks,
//! when it *falls silent*, or when its server stops taking writes. Silence counts because the operating system may need
//! a quarter of an hour to notice that a connection is dead.

use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::error_class::ErrorClass;
use crate::queue::connection::time_out::ANSWER_WITHIN;
use crate::single_flight::SingleFlight;

/// The connection. Cloning shares it.
#[derive(Clone)]
pub(in crate::queue) struct SharedConnection {
    endpoint: Endpoint,
    current: Arc<SingleFlight<Connection, RedisError>>,
}

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// Since when commands over it have gone unanswered. A caller that sent one may have given up earlier than the
    /// time-out.
    unanswered: Arc<Mutex<Option<Stopwatch>>>,
}

impl SharedConnection {
    pub(in crate::queue) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, current: Arc::new(SingleFlight::new()) }
    }

    /// The endpoint, for callers that open a connection of their own.
    pub(in crate::queue) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The connection for one more command. A silent one is replaced first.
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

    /// Records how a command over `used` went.
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

    /// No command that is used here depends on it.
    fn get_db(&self) -> i64 {
        0
    }
}
