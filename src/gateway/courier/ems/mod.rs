//! EMS (中国邮政速递物流), the post. It is the default carrier, because the law reserves official documents to it (邮政法 55). A
//! request to its open platform is a URL-encoded form with SM4-encrypted JSON in one field. Each interface has a
//! number.
//!
//! EMS cannot look up an order by our order number. If the outcome of an order is unknown, the only safe call is to
//! cancel the order by its number. If EMS answers that it is too late to cancel, EMS already carries the parcel: the
//! order exists, and only EMS's callbacks will report its waybill. Ordering again is not safe: for some accounts EMS
//! returns the first waybill, for others it creates a second parcel.

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

use self::client::Ems;
use self::label::LabelAnswer;
use self::scans::TrackAnswer;
use self::settings::EmsSettings;
use super::refusal::{CarrierRefusal, Operation, RefusalKind};
use super::{
    Acknowledgement, Booking, CallbackAccess, CallbackFault, Carrier, CarrierAdapter, CarrierFault, Label, RawCallback,
    Recovery,
};
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

pub const ADAPTER: CarrierAdapter = CarrierAdapter { code: "ems", build };

mod api {
    pub(super) const ORDER: &str = "020003";
    pub(super) const CANCEL: &str = "020006";
    pub(super) const LABEL: &str = "010004";
    pub(super) const TRACK: &str = "040001";
}

fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn Carrier>> {
    let settings = EmsSettings::read(env)?;
    Some(Arc::new(Ems { code: CarrierCode::new(ADAPTER.code), settings, clock: clock.clone() }))
}

impl Ems {
    /// Cancels an order. Succeeds also if the order was cancelled before.
    async fn withdraw(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierRefusal> {
        match self.call(api::CANCEL, Operation::Cancel, &order::cancellation(order_no, waybill)).await {
            Ok(_) | Err(CarrierRefusal { kind: RefusalKind::Cancelled, .. }) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }
}

#[async_trait]
impl Carrier for Ems {
    fn code(&self) -> &CarrierCode {
        &self.code
    }

    fn pace(&self) -> Pace {
        self.settings.pace
    }

    fn time_limit(&self) -> Duration {
        self.settings.http.time_limit()
    }

    async fn order(&self, order: &ParcelOrder) -> Result<Booking, CarrierFault> {
        let content = self.call(api::ORDER, Operation::Order, &order::orders(order, &self.settings)).await;
        content
            .and_then(|content| {
                order::booking(&content).ok_or_else(|| CarrierRefusal::unclear("00000 without a waybill"))
            })
            .map_err(|refusal| refusal.fault(Operation::Order))
    }

    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault> {
        match self.withdraw(order_no, None).await {
            Ok(()) => Ok(Recovery::Withdrawn),
            Err(CarrierRefusal { kind: RefusalKind::Absent, .. }) => Ok(Recovery::Absent),
            Err(CarrierRefusal { kind: RefusalKind::WrongState, .. }) => Ok(Recovery::Found(Booking { waybill: None })),
            Err(refusal) => Err(refusal.fault(Operation::Cancel)),
        }
    }

    async fn track(&self, waybill: &Waybill, _recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault> {
        let question = json!({"waybillNo": waybill.as_str(), "direction": "0"});
        match self.call(api::TRACK, Operation::Read, &question).await {
            Ok(Value::Null) | Err(CarrierRefusal { kind: RefusalKind::Absent, .. }) => Ok(Vec::new()), // not yet scanned
            Ok(content) => {
                let track: TrackAnswer = serde_json::from_value(content)
                    .map_err(|_| CarrierRefusal::unclear("00000 without a trail").fault(Operation::Read))?;
                let scans = track.response_items.into_iter().filter_map(|event| event.scan(Some(waybill)));
                Ok(scans.filter(|scan| scan.waybill == *waybill).collect())
            }
            Err(refusal) => Err(refusal.fault(Operation::Read)),
        }
    }

    async fn cancel(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierFault> {
        self.withdraw(order_no, waybill).await.map_err(|refusal| refusal.fault(Operation::Cancel))
    }

    async fn label(&self, waybill: &Waybill) -> Result<Label, CarrierFault> {
        let question = json!({"waybillNo": waybill.as_str(), "type": self.settings.label_size, "getURL": "1"});
        let read = |refusal: CarrierRefusal| refusal.fault(Operation::Read);
        let content = self.call(api::LABEL, Operation::Read, &question).await.map_err(read)?;
        let label = match label::find(&content) {
            Some(LabelAnswer::File(label)) => Some(label),
            Some(LabelAnswer::Address(url)) => Label::of(self.fetch(&url).await.map_err(read)?),
            None => None,
        };
        label.ok_or_else(|| read(CarrierRefusal::unclear("no label in the answer")))
    }

    /// Queries the scans of a waybill that does not exist.
    async fn probe(&self) -> Probe {
        match self.track(&Waybill::new("0000000000000"), &Private::new(String::new())).await {
            Ok(_) => Probe::Well,
            Err(fault) => fault.into(),
        }
    }

    fn callback_access(&self) -> Option<&CallbackAccess> {
        Some(&self.settings.callbacks)
    }

    fn signs_callbacks(&self) -> bool {
        true
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault> {
        callback::read(call, &self.settings.key)
    }

    fn acknowledge(&self, call: &RawCallback, taken: bool) -> Acknowledgement {
        callback::acknowledge(call, &self.settings.sender_no, taken)
    }
}
