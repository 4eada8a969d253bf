//! `/callbacks/{origin}/{secret}`: the endpoints that carriers and messaging platforms call (HTTP callbacks). If the
//! gateway signs its callbacks, the server stores an authentic one before it acknowledges it, so no acknowledged
//! callback is lost; a job reads it later. A callback of another gateway may come from anybody who knows the path. Of a
//! carrier, it only makes Songda ask the carrier soon. Of a channel, it is stored only if it names a message of ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Endpoint, IntoEndpoint, Request, Response, Result, Route, get};

use crate::api::edge::{Code, Problem, current_request};
use crate::casework::Casework;
use crate::casework::read_models::{StoreError, StoredCall};
use crate::domain::delivery::parcel::{CarrierCode, HintedParcel, Scan};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::ChannelCode;
use crate::gateway::courier::{Carrier, Carriers};
use crate::gateway::push::{Channels, PushChannel, PushNews, ReceiptOf};
use crate::gateway::shared::callback::{Acknowledgement, CallbackAccess, CallbackFault, RawCallback};
use crate::metrics::callbacks::{Taken, begin, count};

/// Returns the routes, without the prefix `/callbacks`.
pub fn route(casework: &Casework, carriers: &Carriers, channels: &Channels) -> Route {
    let callers = Callers { carriers: carriers.clone(), channels: channels.clone() };
    carriers.iter().filter(|it| it.callback_access().is_some()).for_each(|it| begin(it.code().as_str()));
    channels.iter().filter(|it| it.callback_access().is_some()).for_each(|it| begin(it.code().as_str()));
    let take = Take { callers: callers.clone(), casework: casework.clone() };
    Route::new().at("/:origin/:secret", get(Challenge(callers)).post(take.into_endpoint()))
}

/// The maximum number of parcels that an unsigned callback may name. SF reports at most ten scans in one callback.
const MOST_NAMED: usize = 50;

/// The carriers and channels that may send callbacks.
#[derive(Clone)]
struct Callers {
    carriers: Carriers,
    channels: Channels,
}

/// The sender of a callback.
enum Caller {
    Carrier(Arc<dyn Carrier>),
    Channel(Arc<dyn PushChannel>),
}

impl Callers {
    /// Identifies the sender by its path and its network address. A wrong secret, a foreign network and an unknown
    /// origin get the same 404, so the response does not show which of them was wrong.
    fn of(&self, request: &Request) -> Result<(String, Caller), Problem> {
        let unknown = || Problem::new(Code::NotFound);
        let (origin, secret): (String, String) = request.path_params().map_err(|_| unknown())?;
        let carrier = self.carriers.get(&CarrierCode::new(origin.as_str())).cloned().map(Caller::Carrier);
        let channel = || self.channels.get(&ChannelCode::new(origin.as_str())).cloned().map(Caller::Channel);
        let caller = carrier.or_else(channel).ok_or_else(unknown)?;
        let from = current_request().address;
        if caller.access().is_some_and(|access| access.admits(&secret, from)) {
            return Ok((origin, caller));
        }
        count(caller.code(), Taken::Refused);
        Err(unknown())
    }
}

impl Caller {
    fn code(&self) -> &str {
        match self {
            Self::Carrier(carrier) => carrier.code().as_str(),
            Self::Channel(channel) => channel.code().as_str(),
        }
    }

    fn access(&self) -> Option<&CallbackAccess> {
        match self {
            Self::Carrier(carrier) => carrier.callback_access(),
            Self::Channel(channel) => channel.callback_access(),
        }
    }

    /// Returns the part of the query that is stored. The queries of carriers are stored whole: they contain no personal
    /// data.
    fn kept_query(&self, query: &str) -> String {
        match self {
            Self::Carrier(_) => query.to_owned(),
            Self::Channel(channel) => channel.kept_query(query),
        }
    }

    fn acknowledge(&self, call: &RawCallback, taken: bool) -> Acknowledgement {
        match self {
            Self::Carrier(carrier) => carrier.acknowledge(call, taken),
            Self::Channel(channel) => channel.acknowledge(taken),
        }
    }
}

/// The POST endpoint: takes and acknowledges a callback.
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
        let taken = self.take(&origin, &caller, &call).await.unwrap_or_else(|error| {
            tracing::error!(%error, origin, "a callback could not be taken; its sender is asked to call again");
            Taken::Failed
        });
        count(caller.code(), taken);
        Ok(answer(caller.acknowledge(&call, taken.is_acknowledged())))
    }
}

impl Take {
    /// Takes a callback as far as it can be trusted. If this fails, the sender is asked to call again.
    async fn take(&self, origin: &str, caller: &Caller, call: &RawCallback) -> Result<Taken, StoreError> {
        match caller {
            Caller::Carrier(carrier) => match carrier.read(call) {
                Err(CallbackFault::NotAuthentic) => Ok(Taken::Refused),
                _ if carrier.signs_callbacks() => self.keep(origin, call).await,
                Ok(scans) => self.take_hint(carrier.code(), scans).await,
                Err(CallbackFault::Unreadable(_)) => Ok(Taken::Unreadable),
            },
            Caller::Channel(channel) => match channel.read(call) {
                Err(CallbackFault::NotAuthentic) => Ok(Taken::Refused),
                _ if channel.signs_callbacks() => self.keep(origin, call).await,
                Ok(news) if self.is_ours(channel.code(), &news).await? => self.keep(origin, call).await,
                Ok(_) => Ok(Taken::Foreign),
                Err(CallbackFault::Unreadable(_)) => Ok(Taken::Unreadable),
            },
        }
    }

    /// Stores a callback.
    async fn keep(&self, origin: &str, call: &RawCallback) -> Result<Taken, StoreError> {
        let call = StoredCall {
            origin: origin.to_owned(),
            content_type: call.content_type.clone(),
            query: call.query.clone(),
            body: call.body.clone(),
        };
        self.casework.jobs().keep_call(&call, Some(&current_request().traceparent)).await?;
        Ok(Taken::Stored)
    }

    /// Makes the worker ask the carrier about the parcels that an unsigned callback names.
    async fn take_hint(&self, carrier: &CarrierCode, scans: Vec<Scan>) -> Result<Taken, StoreError> {
        let sound = scans.into_iter().filter(Scan::has_sound_numbers);
        let named: BTreeSet<HintedParcel> =
            sound.map(|Scan { order_no, waybill, .. }| HintedParcel { order_no, waybill }).collect();
        if named.len() > MOST_NAMED {
            return Ok(Taken::Unreadable);
        }
        let named: Vec<HintedParcel> = named.into_iter().collect();
        let known = self.casework.jobs().look_soon(carrier, &named).await?;
        Ok(if known > 0 { Taken::Hint } else { Taken::Foreign })
    }

    /// True if one of these reports of an unsigned callback is about a message that Songda sent, or names no message.
    async fn is_ours(&self, channel: &ChannelCode, news: &[PushNews]) -> Result<bool, StoreError> {
        let key = |news: &PushNews| match news {
            PushNews::Receipt(receipt) => match &receipt.of {
                ReceiptOf::Key { key, .. } => Some(key.clone()),
                ReceiptOf::Message { .. } => None,
            },
            PushNews::Consent { .. } => None,
        };
        let keys: Option<Vec<String>> = news.iter().map(key).collect();
        match keys {
            Some(keys) => self.casework.jobs().sent_one_of(channel, &keys).await,
            None => Ok(true),
        }
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
    use poem::http::HeaderMap;
    use poem::test::TestClient;

    use super::*;
    use crate::api::edge::current::Current;
    use crate::domain::kernel::clock::Clock;
    use crate::env::Env;
    use crate::gateway::courier;
    use crate::trace::Span;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn client() -> TestClient<impl Endpoint> {
        let mut env = Env::of([
            ("SONGDA_CARRIERS", "sf"),
            ("SONGDA_SF_PARTNER_ID", "GOV"),
            ("SONGDA_SF_CHECK_WORD", "abc123"),
            ("SONGDA_SF_MONTHLY_CARD", "7551234567"),
            ("SONGDA_SF_CALLBACK_SECRET", SECRET),
            ("SONGDA_SF_CALLBACK_SOURCES", "203.0.113.0/24"),
        ]);
        let carriers = Carriers::read(&mut env, &[courier::sf::ADAPTER], &Clock::system());
        let callers = Callers { carriers, channels: Channels::default() };
        TestClient::new(Route::new().at("/:origin/:secret", get(Challenge(callers.clone())).post(Admit(callers))))
    }

    /// Admits a callback like [`Take`], and does nothing with it, so that the tests need no database.
    struct Admit(Callers);

    impl Endpoint for Admit {
        type Output = ();

        async fn call(&self, request: Request) -> Result<()> {
            self.0.of(&request)?;
            Ok(())
        }
    }

    /// Runs a request of a caller with this address.
    async fn at<F: Future>(address: &str, request: F) -> F::Output {
        let current = Current::of(&HeaderMap::new(), &Span::default(), address.parse().ok());
        Arc::new(current).scope(request).await
    }

    #[tokio::test]
    async fn only_callers_that_know_the_address_and_come_from_the_gateways_network_are_answered() {
        let client = client();
        let status = async |path: String, from| at(from, client.post(path).send()).await.0.status();
        for unknown in
            ["sf/", "sf/fedcba9876543210fedcba9876543210", &format!("owl/{SECRET}"), &format!("ems/{SECRET}")]
        {
            assert_eq!(status(format!("/{unknown}"), "203.0.113.7").await, StatusCode::NOT_FOUND, "{unknown}");
        }
        assert_eq!(status(format!("/sf/{SECRET}"), "203.0.113.7").await, StatusCode::OK);
        assert_eq!(status(format!("/sf/{SECRET}"), "203.0.114.7").await, StatusCode::NOT_FOUND, "another network");
    }

    #[tokio::test]
    async fn carriers_have_no_challenge() {
        let client = client();
        let request = client.get(format!("/sf/{SECRET}?echostr=hello"));
        at("203.0.113.7", request.send()).await.assert_status(StatusCode::NOT_FOUND);
    }
}
