//! SF Express (顺丰速运): its open platform, in the mode in which a digest authenticates each request. All services have
//! the same address. A request to them is a form that contains JSON and its digest.
//!
//! If the outcome of an order is unknown, Songda looks the order up by its order number. SF never accepts the same
//! order number twice.

mod answer;
mod callback;
mod client;
mod codes;
mod digest;
#[cfg(test)]
mod flow;
mod label;
mod order;
#[cfg(feature = "development")]
pub mod sandbox;
mod scans;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::client::{Sf, Throttling};
use self::settings::SfSettings;
use super::refusal::{CarrierRefusal, Operation, RefusalKind};
use super::{
    Acknowledgement, Booking, CallbackAccess, CallbackFault, Carrier, CarrierAdapter, CarrierFault, Label, RawCallback,
    Recovery,
};
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use crate::domain::kernel::clock::{Clock, fresh};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

pub const ADAPTER: CarrierAdapter = CarrierAdapter { code: "sf", build };

mod service {
    pub(super) const ORDER: &str = "EXP_RECE_CREATE_ORDER";
    pub(super) const LOOK_UP: &str = "EXP_RECE_SEARCH_ORDER_RESP";
    pub(super) const CANCEL: &str = "EXP_RECE_UPDATE_ORDER";
    pub(super) const TRACK: &str = "EXP_RECE_SEARCH_ROUTES";
    pub(super) const LABEL: &str = "COM_RECE_CLOUD_PRINT_WAYBILLS";
}

fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn Carrier>> {
    let settings = SfSettings::read(env)?;
    let code = CarrierCode::new(ADAPTER.code);
    Some(Arc::new(Sf { code, settings, clock: clock.clone(), throttling: Throttling::default() }))
}

impl Sf {
    async fn look_up(&self, order_no: &OrderNo) -> Result<Booking, CarrierRefusal> {
        let content = self.call(service::LOOK_UP, &order::look_up(order_no)).await?;
        order::booking(content, order_no)
    }
}

#[async_trait]
impl Carrier for Sf {
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
        let content = self.call(service::ORDER, &order::order(order, &self.settings)).await;
        content
            .and_then(|content| order::booking(content, &order.order_no))
            .map_err(|refusal| refusal.fault(Operation::Order))
    }

    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault> {
        match self.look_up(order_no).await {
            Ok(booking) => Ok(Recovery::Found(booking)),
            Err(CarrierRefusal { kind: RefusalKind::Absent, .. }) => Ok(Recovery::Absent),
            Err(CarrierRefusal { kind: RefusalKind::Cancelled, .. }) => Ok(Recovery::Withdrawn),
            Err(refusal) => Err(refusal.fault(Operation::Find)),
        }
    }

    async fn waybill(&self, order_no: &OrderNo) -> Result<Option<Waybill>, CarrierFault> {
        let booking = self.look_up(order_no).await.map_err(|refusal| refusal.fault(Operation::Find))?;
        Ok(booking.waybill)
    }

    async fn track(&self, waybill: &Waybill, recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault> {
        let content = self.call(service::TRACK, &scans::question(waybill, recipient_phone)).await;
        content
            .and_then(|content| {
                scans::of_answer(content, waybill).ok_or_else(|| CarrierRefusal::unclear("success without a route"))
            })
            .map_err(|refusal| refusal.fault(Operation::Read))
    }

    async fn cancel(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierFault> {
        let content = self.call(service::CANCEL, &order::cancellation(order_no, waybill)).await;
        let refusal = match content.and_then(|content| order::cancelled(&content)) {
            Ok(()) | Err(CarrierRefusal { kind: RefusalKind::Cancelled, .. }) => return Ok(()),
            Err(refusal) => refusal,
        };
        if refusal.kind != RefusalKind::WrongState {
            return Err(refusal.fault(Operation::Cancel));
        }
        // The code 8019, "confirmed or cancelled before", can mean that our own earlier cancellation succeeded, and
        // that SF's answer to that cancellation was lost.
        match self.look_up(order_no).await {
            Err(CarrierRefusal { kind: RefusalKind::Cancelled, .. }) => Ok(()),
            Ok(_) => Err(refusal.fault(Operation::Cancel)),
            Err(unknown) => Err(unknown.fault(Operation::Find)),
        }
    }

    async fn label(&self, waybill: &Waybill) -> Result<Label, CarrierFault> {
        let read = |refusal: CarrierRefusal| refusal.fault(Operation::Read);
        let question = label::question(&self.settings.label_template, waybill);
        let content = self.call(service::LABEL, &question).await.map_err(read)?;
        let location = label::location(content, waybill);
        let (url, token) = location.ok_or_else(|| read(CarrierRefusal::unclear("no label in the answer")))?;
        let file = self.fetch(&url, token.expose()).await.map_err(read)?;
        Label::of(file).ok_or_else(|| read(CarrierRefusal::unclear("the label is not a printable file")))
    }

    /// Looks up an order that does not exist.
    async fn probe(&self) -> Probe {
        match self.look_up(&OrderNo::mint(fresh(ParcelId::from_uuid), 1)).await {
            Ok(_) => Probe::Well,
            Err(refusal) => refusal.fault(Operation::Find).into(),
        }
    }

    fn callback_access(&self) -> Option<&CallbackAccess> {
        Some(&self.settings.callbacks)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault> {
        callback::read(call)
    }

    fn acknowledge(&self, call: &RawCallback, taken: bool) -> Acknowledgement {
        callback::acknowledge(call, taken)
    }
}
