//! The results of attempts at jobs: the new state of the job, and the consequences for its notification, parcel or
//! callback. A worker makes a [`Settlement`]; [`super::Jobs::settle`] writes it.

use crate::domain::delivery::parcel::{Scan, Waybill};
use crate::domain::kernel::ids::{CallbackId, NotificationId, ParcelId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::{AddressKind, Link};
use crate::gateway::push::PushNews;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::store::parcels::ScanSource;

#[derive(Debug, Clone)]
#[must_use = "a job whose attempt is not settled is tried again"]
pub struct Settlement {
    /// The result of the attempt, with the new state of the job.
    pub ending: Ending,
    /// The consequences for the notification, parcel or callback of the job.
    pub effect: Effect,
}

impl Settlement {
    /// Returns the settlement to write if the database refuses the effect of this settlement: the job becomes a dead
    /// letter.
    pub fn without_effect(self, why: &StoreError) -> Self {
        Self { ending: self.ending.unsettled(format!("what follows cannot be written: {why}")), effect: Effect::None }
    }
}

#[derive(Debug, Clone)]
pub enum Effect {
    None,
    Push(PushEffect),
    Parcel(ParcelEffect),
    /// A stored callback was read.
    Callback {
        callback: CallbackId,
        /// A summary of the callback for operators.
        outcome: String,
        parcels: Vec<ParcelEffect>,
        /// A push channel's delivery receipts and its reports of consents; `None` for a carrier's callback.
        told: Option<ChannelNews>,
    },
}

impl Effect {
    /// Returns the parcels that this effect changes.
    pub(super) fn parcels(&self) -> Vec<ParcelId> {
        match self {
            Self::None | Self::Push(_) => Vec::new(),
            Self::Parcel(effect) => vec![effect.parcel],
            Self::Callback { parcels, .. } => parcels.iter().map(|effect| effect.parcel).collect(),
        }
    }
}

/// How a push ended on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEffect {
    pub notification: NotificationId,
    pub channel: ChannelCode,
    pub end: PushEnd,
}

/// How a push ended on one channel. Unless the message was delivered, the notification is pushed over the next channel
/// in the configured order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEnd {
    Delivered,
    /// The person has no address on this channel, or does not want messages there.
    Refused {
        /// The template whose consent was reserved for the message; `None` if no consent was reserved.
        template: Option<String>,
    },
    /// The address is not valid any more.
    Gone {
        kind: AddressKind,
        /// The sealed (encrypted) address, as it is in the database.
        kept: Vec<u8>,
    },
    /// The message certainly was not delivered.
    Failed,
    /// The message may have been delivered, and must not be sent over this channel again.
    Unknown,
}

/// A change of a parcel, as its carrier reports it.
#[derive(Debug, Clone)]
pub struct ParcelEffect {
    pub parcel: ParcelId,
    pub change: ParcelChange,
}

#[derive(Debug, Clone)]
pub enum ParcelChange {
    /// The carrier has accepted the order.
    Ordered {
        /// `None` if the carrier has given no waybill yet.
        waybill: Option<Waybill>,
    },
    /// An order of unknown outcome was withdrawn. The next order needs a new order number.
    Withdrawn,
    AddressRefused,
    /// The carrier cancelled the order, as we asked.
    Cancelled,
    Scanned(ParcelNews),
}

/// A carrier's report on a parcel's waybill and scans.
#[derive(Debug, Clone)]
pub struct ParcelNews {
    /// `None` for a callback, because each scan in a callback names its waybill.
    pub waybill: Option<Waybill>,
    pub scans: Vec<Scan>,
    pub source: ScanSource,
}

/// The delivery receipts and consents that a push channel reports in one callback.
#[derive(Debug, Clone)]
pub struct ChannelNews {
    /// The channel, and the kind of address by which it finds a person.
    pub link: Link,
    /// The reports, in the order in which the channel made them.
    pub news: Vec<PushNews>,
}
