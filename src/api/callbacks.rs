//! `/callbacks/{origin}/{secret}`: the endpoints that carriers and messaging platforms call (HTTP callbacks). The
//! server stores a callback before it acknowledges it, so no acknowledged callback is lost. A job reads the stored
//! callback later.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use poem::http::StatusCode;
use poem::{Endpoint, IntoEndpoint, Request, Response, Result, Route, get};

use crate::api::edge::{Code, Problem, current_request};
use crate::casework::Casework;
use crate::casework::read_models::StoredCall;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::ChannelCode;
use crate::gateway::courier::{Carrier, Carriers};
use crate::gateway::push::{Channels, PushChannel};
use crate::gateway::shared::callback::{Acknowledgement, CallbackFault, RawCallback};

/// Returns the routes, without the prefix `/callbacks`.
pub fn route(casework: &Casework, carriers: &Carriers, channels: &Channels, secrets: &[Private<String>]) -> Route {
    let callers = Callers { carriers: carriers.clone(), channels: channels.clone(), secrets: secrets.into() };
    let take = Take { callers: callers.clone(), casework: casework.clone() };
    Route::new().at("/:origin/:secret", get(Challenge(callers)).post(take.into_endpoint()))
}

/// The carriers and channels whose callbacks are accepted, and the secrets that their callback addresses contain.
#[derive(Clone)]
struct Callers {
    carriers: Carriers,
    channels: Channels,
    secrets: Arc<[Private<String>]>,
}

/// The sender of a callback.
enum Caller {
    Carrier(Arc<dyn Carrier>),
    Channel(Arc<dyn PushChannel>),
}

impl Callers {
    /// Identifies the sender by the path alone. A wrong secret and an unknown origin get the same 404, so the response
    /// does not show which of the two was wrong.
    fn of(&self, request: &Request) -> Result<(String, Caller), Problem> {
        let unknown = || Problem::new(Code::NotFound);
        let (origin, secret): (String, String) = request.path_params().map_err(|_| unknown())?;
        let is =
            |known: &Private<String>| verify_slices_are_equal(secret.as_bytes(), known.expose().as_bytes()).is_ok();
        // Compares with every secret, even after a match, so that the response time reveals nothing about the secrets.
        if self.secrets.iter().filter(|known| is(known)).count() == 0 {
            return Err(unknown());
        }
        let carrier = self.carriers.get(&CarrierCode::new(origin.as_str())).cloned().map(Caller::Carrier);
        let channel = || self.channels.get(&ChannelCode::new(origin.as_str())).cloned().map(Caller::Channel);
        let caller = carrier.or_else(channel).ok_or_else(unknown)?;
        Ok((origin, caller))
    }
}

impl Caller {
    /// True if the signature shows that this carrier or channel did not send the callback. False for an authentic
    /// callback that cannot be read: it is stored, so that people can inspect it.
    fn is_forged(&self, call: &RawCallback) -> bool {
        let fault = match self {
            Self::Carrier(carrier) => carrier.read(call).err(),
            Self::Channel(channel) => channel.read(call).err(),
        };
        fault == Some(CallbackFault::NotAuthentic)
    }

    /// Returns the part of the query that is stored. The queries of carriers are stored whole: they contain no personal
    /// data.
    fn kept_query(&self, query: &str) -> String {
        match self {
            Self::Carrier(_) => query.to_owned(),
            Self::Channel(channel) => channel.kept_query(query),
        }
    }

    fn acknowledge(&self, call: &RawCallback, stored: bool) -> Acknowledgement {
        match self {
            Self::Carrier(carrier) => carrier.acknowledge(call, stored),
            Self::Channel(channel) => channel.acknowledge(stored),
        }
    }
}

/// The POST endpoint: stores and acknowledges a callback.
struct Take {
    callers: Callers,
    casework: Casework,
}

impl Endpoint for Take {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let (origin, caller) = self.callers.of(&request)?;
        let body = request.take_body().into_vec().await?;
        let call = RawCallback {
            content_type: request.content_type().unwrap_or_default().to_ascii_lowercase(),
            query: caller.kept_query(request.uri().query().unwrap_or_default()),
            body: Private::new(body),
        };
        let stored = !caller.is_forged(&call) && self.keep(&origin, &call).await;
        Ok(answer(caller.acknowledge(&call, stored)))
    }
}

impl Take {
    /// Stores a callback. Returns false if the database fails; the sender is then asked to call again.
    async fn keep(&self, origin: &str, call: &RawCallback) -> bool {
        let call = StoredCall {
            origin: origin.to_owned(),
            content_type: call.content_type.clone(),
            query: call.query.clone(),
            body: call.body.clone(),
        };
        let kept = self.casework.jobs().keep_call(&call, Some(&current_request().traceparent)).await;
        if let Err(error) = &kept {
            tracing::error!(%error, origin, "a callback could not be stored; its sender is asked to call again");
        }
        kept.is_ok()
    }
}

/// The GET endpoint: answers the challenge by which a platform verifies the callback address.
struct Challenge(Callers);

impl Endpoint for Challenge {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let (_, caller) = self.0.of(&request)?;
        let query = request.uri().query().unwrap_or_default();
        let Caller::Channel(channel) = caller else { return Err(Problem::new(Code::NotFound).into()) };
        let body = channel.challenge(query).ok_or(Problem::new(Code::NotFound))?;
        Ok(answer(Acknowledgement { status: 200, content_type: "text/plain", body }))
    }
}

fn answer(acknowledgement: Acknowledgement) -> Response {
    Response::builder()
        .status(StatusCode::from_u16(acknowledgement.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))
        .content_type(acknowledgement.content_type)
        .body(acknowledgement.body)
}

#[cfg(test)]
mod tests {
    use poem::test::TestClient;

    use super::*;
    use crate::domain::kernel::clock::Clock;
    use crate::env::Env;
    use crate::gateway::courier;

    fn client() -> TestClient<impl Endpoint> {
        let mut env = Env::of([
            ("SONGDA_CARRIERS", "sf"),
            ("SONGDA_SF_PARTNER_ID", "GOV"),
            ("SONGDA_SF_CHECK_WORD", "abc123"),
            ("SONGDA_SF_MONTHLY_CARD", "7551234567"),
        ]);
        let carriers = Carriers::read(&mut env, &[courier::sf::ADAPTER], &Clock::system());
        let secrets = ["s3cret", "0lder"].map(|secret| Private::new(secret.to_owned()));
        let callers = Callers { carriers, channels: Channels::default(), secrets: secrets.into() };
        TestClient::new(
            Route::new().at("/:origin/:secret", get(Challenge(callers.clone())).post(TakeWithoutStore(callers))),
        )
    }

    /// Like [`Take`], but with a fixed body, and without storing the callback, so that the tests need no database.
    struct TakeWithoutStore(Callers);

    impl Endpoint for TakeWithoutStore {
        type Output = Response;

        async fn call(&self, request: Request) -> Result<Response> {
            let (_, caller) = self.0.of(&request)?;
            let call =
                RawCallback { content_type: String::new(), query: String::new(), body: Private::new(b"{}".to_vec()) };
            Ok(answer(caller.acknowledge(&call, !caller.is_forged(&call))))
        }
    }

    #[tokio::test]
    async fn only_callers_that_know_the_address_are_answered() {
        let client = client();
        for unknown in ["/sf/secret", "/sf/", "/sf/s3cret2", "/owl/s3cret", "/wechat/s3cret"] {
            client.post(unknown).send().await.assert_status(StatusCode::NOT_FOUND);
        }
        for known in ["/sf/s3cret", "/sf/0lder"] {
            let answer = client.post(known).send().await;
            answer.assert_status_is_ok();
            answer.assert_content_type("application/json;charset=UTF-8");
        }
    }

    #[tokio::test]
    async fn carriers_have_no_challenge() {
        client().get("/sf/s3cret?echostr=hello").send().await.assert_status(StatusCode::NOT_FOUND);
    }
}
