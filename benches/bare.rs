//! A server that uses only the web framework poem, without product code. It runs as a separate process, and shows the
//! minimum cost of a response, of a durable row, and of a client that waits for events.

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::stream;
use poem::listener::TcpListener;
use poem::web::sse::{Event, SSE};
use poem::web::{Data, Path as InPath};
use poem::{Body, EndpointExt, Route, Server, get, handler, post};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::process::Command;

use crate::Measured;
use crate::process::Process;
use crate::serving::{answers, free_address};

/// The first argument that makes this benchmark program run as the bare server.
pub const ROLE: &str = "bare-server";

/// A running bare server.
pub struct Bare {
    pub process: Process,
    pub address: SocketAddr,
}

impl Bare {
    /// Starts the server and waits until it answers.
    pub async fn start() -> Measured<Self> {
        let address = free_address().await?;
        let mut command = Command::new(env::current_exe()?);
        command.args([ROLE, &address.to_string()]);
        let process = Process::start(ROLE, &mut command, std::iter::empty::<(&str, &str)>(), Path::new("/dev/null"))?;
        answers(address, "/answers/2").await?;
        Ok(Self { process, address })
    }
}

/// Serves at the address in the second argument until the process is stopped.
pub fn run() -> Measured<()> {
    let address = env::args().nth(2).ok_or("the bare server needs an address to listen on")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let pool = PgPoolOptions::new().max_connections(24).connect_lazy(&env::var("SONGDA_DATABASE_URL")?)?;
        let routes = Route::new()
            .at("/answers/:size", get(answer))
            .at("/rows", post(insert).data(pool))
            .at("/events", get(events));
        Ok(Server::new(TcpListener::bind(address)).run(routes).await?)
    })
}

/// Responds with a body of `size` bytes.
#[handler]
fn answer(InPath(size): InPath<usize>) -> poem::Response {
    poem::Response::builder().content_type("application/json; charset=utf-8").body("x".repeat(size))
}

/// Inserts one row, and responds when the row is durable.
#[handler]
async fn insert(pool: Data<&PgPool>, body: Body) -> poem::Result<String> {
    let body = body.into_string().await?;
    let inserted = sqlx::query("insert into bench_rows (body) values ($1)").bind(body).execute(*pool).await;
    inserted.map_err(poem::error::InternalServerError)?;
    Ok(r#"{"is":"kept"}"#.to_owned())
}

/// Opens a stream of server-sent events to a client, and never sends an event. Sends only a comment every 15 seconds,
/// which keeps the connection alive.
#[handler]
fn events() -> SSE {
    SSE::new(stream::pending::<Event>()).keep_alive(Duration::from_secs(15))
}
