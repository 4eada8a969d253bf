//! The sandbox without its HTTP server: the twins (the simulated gateways), and the data that they share.

use std::sync::Arc;

use super::twin::Twin;
use super::world::World;
use crate::domain::kernel::clock::Instant;

pub struct Sandbox {
    pub(crate) world: Arc<World>,
    pub(crate) twins: Vec<Arc<dyn Twin>>,
}

impl Sandbox {
    /// Adds the next `steps` scans to every parcel, and sends the carriers' callbacks. Returns the number of parcels
    /// with new scans.
    pub fn advance_all(&self, steps: usize) -> usize {
        self.advance_ordered_before(self.world.now(), steps)
    }

    pub(super) fn advance_ordered_before(&self, ordered_before: Instant, steps: usize) -> usize {
        let held = self.world.callbacks.take_held();
        let mut count = 0;
        for twin in &self.twins {
            let moved = self.world.parcels.advance_all(twin.name(), ordered_before, steps, self.world.now());
            count += moved.len();
            twin.scanned(&self.world, &moved);
        }
        self.world.callbacks.release(held);
        count
    }

    /// Adds the next `steps` scans to one parcel, and sends the carrier's callbacks. Returns the number of new scans;
    /// `None` if no carrier has such an order.
    pub fn advance(&self, order_no: &str, steps: usize) -> Option<usize> {
        let held = self.world.callbacks.take_held();
        let mut found = None;
        for twin in &self.twins {
            if let Some(moved) = self.world.parcels.advance(twin.name(), order_no, steps, self.world.now()) {
                twin.scanned(&self.world, std::slice::from_ref(&moved));
                found = Some(moved.scans.len());
            }
        }
        self.world.callbacks.release(held);
        found
    }

    /// Deletes all data except the settings and the address for callbacks.
    pub fn reset(&self) {
        self.world.reset();
        for twin in &self.twins {
            twin.reset();
        }
    }
}
