//! How an honest client behaves: it repeats a request under the same key until it gets an answer.

use std::time::Duration;

use songda::demo::http::{Call, Reply};

use super::ledger::Ledger;

/// How long a client repeats a request, counted from the first try. If the request has not succeeded by then, the
/// client gives it up, and the run fails.
const GIVE_UP_AFTER: Duration = Duration::from_secs(900);
/// The client's time-out for one request.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(200);

/// The outcome of one request.
pub enum Answer<T> {
    Success(T),
    /// No answer, or "try again later".
    Later,
    /// A 500: a fault of the product. The client tries again.
    Broken(String),
    /// The token is not valid (any more): sign in, and try again.
    SignIn,
    /// An answer that no honest client should get.
    Wrong(String),
}

/// Sends a request. The statuses in `also` count as success.
pub async fn ask(call: Call, also: &[u16]) -> Answer<Reply> {
    let Ok(Ok(reply)) = tokio::time::timeout(ANSWER_WITHIN, call.answer()).await else { return Answer::Later };
    match reply.status.as_u16() {
        200..=299 => Answer::Success(reply),
        status if also.contains(&status) => Answer::Success(reply),
        401 => Answer::SignIn,
        500 => Answer::Broken(reply.refusal().to_string()),
        429 | 501..=599 => Answer::Later,
        409 if reply.body["code"] == "request_in_progress" => Answer::Later,
        _ => Answer::Wrong(reply.refusal().to_string()),
    }
}

/// Repeats a request until it succeeds. `None` if it cannot, which is recorded in the ledger.
pub async fn retry<T>(
    ledger: &Ledger,
    mut ask: impl AsyncFnMut() -> Answer<T>,
    mut sign_in: impl AsyncFnMut(),
) -> Option<T> {
    let asking = async {
        loop {
            match ask().await {
                Answer::Success(answer) => return Ok(answer),
                Answer::Wrong(what) => return Err(what),
                Answer::Later => {}
                Answer::Broken(what) => ledger.wrong(what),
                Answer::SignIn => sign_in().await,
            }
            ledger.repeat();
            tokio::time::sleep(PAUSE).await;
        }
    };
    let answer = tokio::time::timeout(GIVE_UP_AFTER, asking).await;
    match answer.unwrap_or_else(|_| Err("no answer in a quarter of an hour".to_owned())) {
        Ok(answer) => Some(answer),
        Err(what) => {
            ledger.wrong(what);
            None
        }
    }
}
