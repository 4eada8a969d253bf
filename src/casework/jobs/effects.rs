//! How attempts end, and what follows from that.

use crate::domain::delivery::parcel::{Scan, Waybill};
use crate::domain::kernel::ids::{CallbackId, NotificationId, ParcelId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::{AddressKind, Link};
use crate::gateway::push::PushNews;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::store::parcels::ScanSource;

/// How an attempt ended, and what follows from that.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// For the job itself.
    pub ending: Ending,
    /// For what the job is about.
    pub effect: Effect,
}

impl Settlement {
    /// The settlement that replaces this one if the database refuses its effects.
    #[must_use]
    pub fn without_effect(self, why: &StoreError) -> Self {
        Self { ending: self.ending.unsettled(format!("what follows cannot be written: {why}")), effect: Effect::None }
    }
}

/// What follows from an attempt.
#[derive(Debug, Clone)]
pub enum Effect {
    None,
    /// A push ended on one channel.
    Push(PushEffect),
    /// Something became known about a parcel.
    Parcel(ParcelEffect),
    /// A stored callback was read.
    Callback {
        callback: CallbackId,
        /// What the callback says, in a few words for operators.
        outcome: String,
        /// What the callback says about parcels.
        parcels: Vec<ParcelEffect>,
        /// What the callback says about pushes and consents.
        told: Option<ChannelNews>,
    },
}

impl Effect {
    /// The parcels that it is about.
    pub(super) fn parcels(&self) -> Vec<ParcelId> {
        match self {
            Self::None | Self::Push(_) => Vec::new(),
            Self::Parcel(effect) => vec![effect.parcel],
            Self::Callback { parcels, .. } => parcels.iter().map(|effect| effect.parcel).collect(),
        }
    }
}

/// The end of a push on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEffect {
    pub notification: NotificationId,
    pub channel: ChannelCode,
    pub end: PushEnd,
}

/// How a push ended on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEnd {
    Delivered,
    /// The person does not want messages there.
    Refused {
        /// The template whose consent was held; `None` if it needs none, or none was held.
        template: Option<String>,
    },
    /// The address is not valid any more.
    Gone {
        kind: AddressKind,
        /// The address as the database keeps it.
        kept: Vec<u8>,
    },
    /// The message surely was not delivered, and will not be.
    Failed,
    /// It is unknown whether the message was delivered, and another try would be worse: another channel takes over.
    Unknown,
}

/// Something that became known about a parcel.
#[derive(Debug, Clone)]
pub struct ParcelEffect {
    pub parcel: ParcelId,
    pub change: ParcelChange,
}

#[derive(Debug, Clone)]
pub enum ParcelChange {
    /// The carrier has the order.
    Ordered {
        /// The carrier's number, if it gave one already.
        waybill: Option<Waybill>,
    },
    /// An order of unknown outcome is withdrawn: the next order needs a new number.
    Withdrawn,
    /// The carrier refuses the recipient's address.
    AddressRefused,
    /// The order is cancelled, as we asked.
    Cancelled,
    /// The carrier reported scans.
    Scanned(ParcelNews),
}

/// What a carrier reported of a parcel.
#[derive(Debug, Clone)]
pub struct ParcelNews {
    /// The carrier's number, if it is news.
    pub waybill: Option<Waybill>,
    pub scans: Vec<Scan>,
    pub source: ScanSource,
}

/// What a channel reported in one callback.
#[derive(Debug, Clone)]
pub struct ChannelNews {
    /// The channel, and the kind of address by which it finds a person.
    pub link: Link,
    /// In the channel's own order.
    pub news: Vec<PushNews>,
}
