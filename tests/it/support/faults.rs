//! Faults of gateways: `desk.fault("wechat", FaultKind::TimeoutBefore).on("send").once()`.

use std::time::Duration;

use songda::sandbox::faults::{FaultKind, FaultOrder, Often};

use super::desk::Desk;

/// A fault that a test describes. It takes effect only after `once`, `times` or `always` is called.
#[must_use = "a fault is ordered by `once`, `times` or `always`"]
pub struct GatewayFault<'d> {
    desk: &'d Desk,
    gateway: &'d str,
    fault: FaultKind,
    operation: Option<&'d str>,
    delay: Option<Duration>,
}

impl Desk {
    /// Plans a fault of a gateway. The fault affects all operations, unless [`GatewayFault::on`] names one.
    pub const fn fault<'d>(&'d self, gateway: &'d str, fault: FaultKind) -> GatewayFault<'d> {
        GatewayFault { desk: self, gateway, fault, operation: None, delay: None }
    }

    pub fn end_faults(&self) {
        self.sandbox.world().faults.cancel_orders();
    }
}

impl<'d> GatewayFault<'d> {
    /// Limits the fault to this operation.
    pub const fn on(mut self, operation: &'d str) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Sets how late the answer comes, or after how long the connection ends.
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Makes the fault strike the next call.
    pub fn once(self) {
        self.times(1);
    }

    /// Makes the fault strike the next `times` calls.
    pub fn times(self, times: u64) {
        self.order(Often::Times(times));
    }

    /// Makes the fault strike every call.
    pub fn always(self) {
        self.order(Often::Share(1.0));
    }

    fn order(self, often: Often) {
        let Self { desk, gateway, fault, operation, delay } = self;
        let order =
            FaultOrder { gateway: gateway.to_owned(), operation: operation.map(str::to_owned), fault, often, delay };
        desk.sandbox.world().faults.order(order);
    }
}
