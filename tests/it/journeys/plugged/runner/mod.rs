//! A runner (跑腿): the smallest possible carrier. It accepts an errand (an order for a parcel) under the order number
//! that Songda chose, answers with a ticket, and reports each stop of the errand. If the outcome of an order is
//! unknown, Songda looks the errand up by that order number.

pub mod sandbox;
mod stops;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use songda::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::pace::{Pace, PaceNames};
use songda::domain::kernel::private::Private;
use songda::env::Env;
use songda::gateway::courier::{
    Acknowledgement, Booking, CallbackAccess, CallbackFault, CallbackNames, Carrier, CarrierAdapter, CarrierFact,
    CarrierFault, Label, RawCallback, Recovery,
};
use songda::gateway::shared::http::{Http, HttpAnswer, HttpFault, HttpNames};

use self::stops::Errand;

/// The carrier's entry in the registry.
pub const ADAPTER: CarrierAdapter = CarrierAdapter { code: "runner", build };

const HTTP: HttpNames = HttpNames {
    base_url: "SONGDA_RUNNER_URL",
    default_url: "https://runners.example",
    timeout: "SONGDA_RUNNER_TIMEOUT",
};

/// The default rate and the default number of slots are invented, as this gateway is.
const PACE: PaceNames =
    PaceNames { rate: "SONGDA_RUNNER_RATE", default_rate: "100", slots: "SONGDA_RUNNER_SLOTS", default_slots: "16" };

const CALLBACKS: CallbackNames = CallbackNames {
    secret: "SONGDA_RUNNER_CALLBACK_SECRET",
    previous: "SONGDA_RUNNER_CALLBACK_SECRET_PREVIOUS",
    sources: "SONGDA_RUNNER_CALLBACK_SOURCES",
};

struct Runner {
    code: CarrierCode,
    pace: Pace,
    http: Http,
    callbacks: CallbackAccess,
}

fn build(env: &mut Env, _clock: &Clock) -> Option<Arc<dyn Carrier>> {
    let http = Http::read(env, &HTTP);
    let pace = Pace::read(env, &PACE);
    let callbacks = CallbackAccess::read(env, &CALLBACKS);
    Some(Arc::new(Runner { code: CarrierCode::new(ADAPTER.code), pace: pace?, http: http?, callbacks: callbacks? }))
}

impl Runner {
    /// Sends a request that changes nothing. After any failure it can be repeated.
    async fn read(&self, path: String) -> Result<Errand, CarrierFault> {
        let answer = self.http.send(self.http.request(Method::GET, &path)).await;
        let answer = answer.map_err(|fault| CarrierFault::new(CarrierFact::Unavailable, fault.to_string()))?;
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body)
                .map_err(|_| CarrierFault::new(CarrierFact::Unavailable, "200 without an errand")),
            StatusCode::NOT_FOUND => Err(CarrierFault::new(CarrierFact::Absent, "404")),
            status => Err(CarrierFault::new(CarrierFact::Unavailable, status.as_str())),
        }
    }

    /// Sends a request that changes something. If no answer comes, the change has possibly happened.
    async fn change(&self, request: RequestBuilder) -> Result<HttpAnswer, CarrierFault> {
        let answer = self.http.send(request).await.map_err(|fault| match fault {
            HttpFault::NotSent(_) => CarrierFault::new(CarrierFact::Unavailable, fault.to_string()),
            HttpFault::Unclear(_) => CarrierFault::new(CarrierFact::Ambiguous, fault.to_string()),
        })?;
        let fact = match answer.status {
            status if status.is_success() => return Ok(answer),
            StatusCode::CONFLICT => CarrierFact::Duplicate,
            StatusCode::NOT_FOUND => CarrierFact::Absent,
            StatusCode::LOCKED => CarrierFact::WrongState,
            StatusCode::TOO_MANY_REQUESTS => CarrierFact::Throttled { after: answer.retry_after },
            status if status.is_client_error() => CarrierFact::Misconfigured,
            _ => CarrierFact::Ambiguous,
        };
        Err(CarrierFault::new(fact, answer.status.as_str()))
    }
}

#[async_trait]
impl Carrier for Runner {
    fn code(&self) -> &CarrierCode {
        &self.code
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn time_limit(&self) -> Duration {
        self.http.time_limit()
    }

    async fn order(&self, order: &ParcelOrder) -> Result<Booking, CarrierFault> {
        let to = &order.recipient;
        let errand = json!({
            "number": order.order_no.as_str(), "name": to.name.expose(), "phone": to.phone.expose(),
            "place": to.county, "door": to.detail.expose(),
        });
        let answer = self.change(self.http.request(Method::POST, "errands").json(&errand)).await?;
        let errand: Option<Errand> = serde_json::from_slice(&answer.body).ok();
        let errand = errand.ok_or_else(|| CarrierFault::new(CarrierFact::Ambiguous, "201 without a ticket"))?;
        Ok(Booking { waybill: Some(Waybill::new(errand.ticket)) })
    }

    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault> {
        match self.read(format!("errands/{order_no}")).await {
            Ok(errand) => Ok(Recovery::Found(Booking { waybill: Some(Waybill::new(errand.ticket)) })),
            Err(fault) if fault.fact == CarrierFact::Absent => Ok(Recovery::Absent),
            Err(fault) => Err(fault),
        }
    }

    async fn track(&self, waybill: &Waybill, _recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault> {
        Ok(self.read(format!("tickets/{waybill}")).await?.scans())
    }

    async fn cancel(&self, order_no: &OrderNo, _waybill: Option<&Waybill>) -> Result<(), CarrierFault> {
        self.change(self.http.request(Method::DELETE, &format!("errands/{order_no}"))).await.map(drop)
    }

    async fn label(&self, _waybill: &Waybill) -> Result<Label, CarrierFault> {
        Err(CarrierFault::new(CarrierFact::Misconfigured, "a runner needs no label"))
    }

    fn callback_access(&self) -> Option<&CallbackAccess> {
        Some(&self.callbacks)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault> {
        let errand: Result<Errand, _> = serde_json::from_slice(call.body.expose());
        errand.map(|errand| errand.scans()).map_err(|_| CallbackFault::Unreadable("not an errand".to_owned()))
    }

    fn acknowledge(&self, _call: &RawCallback, taken: bool) -> Acknowledgement {
        Acknowledgement { status: if taken { 204 } else { 503 }, content_type: "text/plain", body: String::new() }
    }
}
