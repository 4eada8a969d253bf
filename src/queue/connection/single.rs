//! A line to a server, that all commands to it share. It is made when it is first used, and made anew when it breaks, when
//! it *falls silent*, or when who is at its end takes no writes any more. A line over which nothing is answered leads
//! nowhere, and waiting for the operating system to find that out may take a quarter of an hour.

use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::ANSWER_WITHIN;
use crate::queue::connection::endpoint::Place;
use crate::queue::connection::redirects::Lesson;
use crate::queue::connection::single_flight::Remade;

/// The line. Cloning shares it.
#[derive(Clone)]
pub(in crate::queue) struct Line {
    place: Place,
    connection: Arc<Remade<Connection>>,
}

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// Since when commands go unanswered over it. Who asked may be gone: not everybody waits for as long as it takes.
    unanswered: Arc<Mutex<Option<Stopwatch>>>,
}

impl Line {
    /// Prepares a line.
    pub(in crate::queue) fn new(place: Place) -> Self {
        Self { place, connection: Arc::new(Remade::new()) }
    }

    /// Where it leads, for who needs a connection of their own.
    pub(in crate::queue) const fn place(&self) -> &Place {
        &self.place
    }

    /// The connection for one more command; another one if this one is silent.
    async fn ask(&self) -> RedisResult<Connection> {
        self.connection.forget_if(Connection::is_silent);
        let make = || {
            let place = self.place.clone();
            async move { Ok(Connection { redis: place.connect(ANSWER_WITHIN).await?, unanswered: Arc::default() }) }
        };
        let connection = self.connection.get(make).await?;
        connection.lock().get_or_insert_with(Stopwatch::start);
        Ok(connection)
    }

    /// Something came back over a connection, or did not.
    fn heard(&self, over: &Connection, answer: Result<&[Value], &RedisError>) {
        match Lesson::of(answer) {
            Lesson::Silent => {}
            Lesson::Broken => {
                self.connection.forget_if(|current| Arc::ptr_eq(&current.unanswered, &over.unanswered));
            }
            Lesson::Elsewhere | Lesson::None => *over.lock() = None,
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

impl ConnectionLike for Line {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut over = self.ask().await?;
            let answer = over.redis.req_packed_command(command).await;
            self.heard(&over, answer.as_ref().map(slice::from_ref));
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
            let mut over = self.ask().await?;
            let answers = over.redis.req_packed_commands(commands, offset, count).await;
            self.heard(&over, answers.as_deref());
            answers
        })
    }

    /// Nothing that we use asks for it.
    fn get_db(&self) -> i64 {
        0
    }
}
