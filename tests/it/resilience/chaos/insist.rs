//! How every honest client asks: again and again, the same under the same key, until it is told how it stands.

use std::time::Duration;

use songda::demo::http::{Call, Reply};

use super::told::Ledger;

/// How long somebody asks before it counts as a fault of the product that nobody answers.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long a client waits for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(200);

/// What one call came to.
pub enum Answer<T> {
    /// What was asked for.
    Told(T),
    /// Nothing, or "later": ask again.
    Later,
    /// "It is our fault": nothing is wrong with the question, but nobody should be told that. Ask again all the same.
    Broken(String),
    /// The token is not believed (any more): sign in, and ask again.
    SignIn,
    /// Something that no honest client should be told.
    Wrong(String),
}

/// What a call came to: its answer, if that is a success or one of these statuses.
pub async fn ask(call: Call, also: &[u16]) -> Answer<Reply> {
    let Ok(Ok(reply)) = tokio::time::timeout(ANSWER_WITHIN, call.answer()).await else { return Answer::Later };
    match reply.status.as_u16() {
        200..=299 => Answer::Told(reply),
        status if also.contains(&status) => Answer::Told(reply),
        401 => Answer::SignIn,
        500 => Answer::Broken(reply.refusal().to_string()),
        429 | 501..=599 => Answer::Later,
        409 if reply.body["code"] == "request_in_progress" => Answer::Later,
        _ => Answer::Wrong(reply.refusal().to_string()),
    }
}

/// Asks until it is told; `None` when that is nothing to go on with, which is written down.
pub async fn insist<T>(
    ledger: &Ledger,
    mut ask: impl AsyncFnMut() -> Answer<T>,
    mut sign_in: impl AsyncFnMut(),
) -> Option<T> {
    let asking = async {
        loop {
            match ask().await {
                Answer::Told(told) => return Ok(told),
                Answer::Wrong(what) => return Err(what),
                Answer::Later => {}
                Answer::Broken(what) => ledger.wrong(what),
                Answer::SignIn => sign_in().await,
            }
            ledger.repeat();
            tokio::time::sleep(PAUSE).await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, asking).await;
    match told.unwrap_or_else(|_| Err("nobody was answered in a quarter of an hour".to_owned())) {
        Ok(told) => Some(told),
        Err(what) => {
            ledger.wrong(what);
            None
        }
    }
}
