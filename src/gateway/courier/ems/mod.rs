//! EMS (中国邮政速递物流), the post: the first choice, because law reserves official documents to it (邮政法 55).
//! Its open platform takes SM4-sealed JSON in a form, one interface per number.
//!
//! EMS has no look-up by our own order number. The safe way out of an unknown outcome is to cancel by it: cancelled
//! means that an order may have existed and does not now, "not found" that none did, and "too late" that EMS carries
//! it already. Then it is ours, and only EMS's pushes, which name our number, tell its waybill: to send the order again
//! in the hope of the same waybill, as some accounts give, could order twice elsewhere.

mod answer;
mod callback;
mod cipher;
mod client;
#[cfg(test)]
mod flow;
mod label;
#[cfg(test)]
mod legacy;
mod order;
mod refusals;
#[cfg(feature = "development")]
pub mod sandbox;
mod scans;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use self::client::Client;
use self::scans::Trail;
use self::settings::Settings;
use super::refusal::{Kind, Operation, Refusal};
use super::{Acknowledgement, Adapter, Booking, CallbackFault, Carrier, CarrierFault, Label, RawCallback, Recovery};
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::http::Http;
use crate::gateway::shared::probe::Probe;

/// The carrier, as `registry.rs` knows it.
pub const ADAPTER: Adapter = Adapter { code: "ems", build };

mod api {
    pub(super) const ORDER: &str = "020003";
    pub(super) const CANCEL: &str = "020006";
    pub(super) const LABEL: &str = "010004";
    pub(super) const TRACK: &str = "040001";
}

struct Ems {
    code: CarrierCode,
    client: Client,
}

/// Reads EMS's settings and builds its client.
fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn Carrier>> {
    let settings = Settings::read(env)?;
    let http = Http::new(&settings.http).map_err(|error| env.fault(format!("EMS cannot be reached: {error}"))).ok()?;
    let client = Client { http, settings, clock: clock.clone() };
    Some(Arc::new(Ems { code: CarrierCode::new(ADAPTER.code), client }))
}

impl Ems {
    async fn withdraw(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<Value, Refusal> {
        self.client.call(api::CANCEL, Operation::Cancel, &order::cancellation(order_no, waybill)).await
    }
}

#[async_trait]
impl Carrier for Ems {
    fn code(&self) -> &CarrierCode {
        &self.code
    }

    fn pace(&self) -> Pace {
        self.client.settings.pace
    }

    fn time_limit(&self) -> Duration {
        self.client.http.time_limit()
    }

    async fn order(&self, order: &ParcelOrder) -> Result<Booking, CarrierFault> {
        let Settings { sender_no, terms, .. } = &self.client.settings;
        let orders = order::orders(order, sender_no, terms);
        let content = self.client.call(api::ORDER, Operation::Order, &orders).await;
        let content = content.map_err(|refusal| refusal.fault(Operation::Order))?;
        order::booking(&content).ok_or_else(|| Refusal::unclear("00000 without a waybill").fault(Operation::Order))
    }

    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault> {
        match self.withdraw(order_no, None).await {
            Ok(_) => Ok(Recovery::Withdrawn),
            Err(Refusal { kind: Kind::Cancelled, .. }) => Ok(Recovery::Withdrawn),
            Err(Refusal { kind: Kind::Absent, .. }) => Ok(Recovery::Absent),
            Err(Refusal { kind: Kind::WrongState, .. }) => Ok(Recovery::Found(Booking { waybill: None })),
            Err(refusal) => Err(refusal.fault(Operation::Cancel)),
        }
    }

    async fn track(&self, waybill: &Waybill, _recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault> {
        let question = json!({"waybillNo": waybill.as_str(), "direction": "0"});
        match self.client.call(api::TRACK, Operation::Read, &question).await {
            Ok(Value::Null) | Err(Refusal { kind: Kind::Absent, .. }) => Ok(Vec::new()), // not yet scanned
            Ok(content) => {
                let trail: Trail = serde_json::from_value(content)
                    .map_err(|_| Refusal::unclear("00000 without a trail").fault(Operation::Read))?;
                let scans = trail.response_items.into_iter().filter_map(|event| event.scan(Some(waybill)));
                Ok(scans.filter(|scan| scan.waybill == *waybill).collect())
            }
            Err(refusal) => Err(refusal.fault(Operation::Read)),
        }
    }

    async fn cancel(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierFault> {
        match self.withdraw(order_no, waybill).await {
            Ok(_) | Err(Refusal { kind: Kind::Cancelled, .. }) => Ok(()),
            Err(refusal) => Err(refusal.fault(Operation::Cancel)),
        }
    }

    async fn label(&self, waybill: &Waybill) -> Result<Label, CarrierFault> {
        let question = json!({"waybillNo": waybill.as_str(), "type": self.client.settings.label_size, "getURL": "1"});
        let read = |refusal: Refusal| refusal.fault(Operation::Read);
        let content = self.client.call(api::LABEL, Operation::Read, &question).await.map_err(read)?;
        let label = match label::find(&content) {
            Some(label::Found::File(label)) => Some(label),
            Some(label::Found::Address(url)) => Label::of(self.client.fetch(&url).await.map_err(read)?),
            None => None,
        };
        label.ok_or_else(|| read(Refusal::unclear("no label in the answer")))
    }

    /// Asks for the way of a parcel that does not exist.
    async fn probe(&self) -> Probe {
        match self.track(&Waybill::new("0000000000000"), &Private::new(String::new())).await {
            Ok(_) => Probe::Well,
            Err(fault) => fault.into(),
        }
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault> {
        callback::read(call, &self.client.settings.key)
    }

    fn acknowledge(&self, call: &RawCallback, stored: bool) -> Acknowledgement {
        callback::acknowledge(call, &self.client.settings.sender_no, stored)
    }
}
