//! Jobs (任务): work that a transition promised, to be kept whatever dies in between.
//!
//! A [`Job`] is written in the transaction that owes it and named by its business key, so that promising twice
//! is promising once. It carries ids only. Each kind runs in one [`Lane`]: the queue before one gateway, with
//! that gateway's limits, so that a slow gateway delays nobody else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::ids::{CallbackId, JobId, LoginCodeId, NotificationId, ParcelId};
use crate::domain::kernel::shown::shown;
use crate::domain::notice::notification::ChannelCode;

/// What is to be done. The tag is the job's kind: it outlives the code, so a kind is never renamed or re-used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Bring a notification to a phone over one channel.
    Push {
        notification: NotificationId,
        /// Over which channel.
        channel: ChannelCode,
    },
    /// Send a one-time sign-in code by SMS.
    SendLoginCode {
        code: LoginCodeId,
        /// Over which channel.
        channel: ChannelCode,
    },
    /// Order a parcel at its carrier.
    OrderParcel {
        parcel: ParcelId,
        /// At which carrier.
        carrier: CarrierCode,
    },
    /// Ask the carrier how a parcel is doing: the second path beside its callbacks, and the proof of an end.
    TrackParcel {
        parcel: ParcelId,
        /// At which carrier.
        carrier: CarrierCode,
    },
    /// Cancel a parcel at its carrier.
    CancelParcel {
        parcel: ParcelId,
        /// At which carrier.
        carrier: CarrierCode,
    },
    /// Understand a call that a carrier or a platform made, which is stored as it came.
    ReadCallback { callback: CallbackId },
    /// Remove the content of a file whose row is gone, or never came.
    RemoveContent {
        /// Where it lies.
        path: String,
    },
}

impl Work {
    /// The kind, as stored and shown.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::SendLoginCode { .. } => "send_login_code",
            Self::OrderParcel { .. } => "order_parcel",
            Self::TrackParcel { .. } => "track_parcel",
            Self::CancelParcel { .. } => "cancel_parcel",
            Self::ReadCallback { .. } => "read_callback",
            Self::RemoveContent { .. } => "remove_content",
        }
    }

    /// The business key: two jobs with one key are one job.
    #[must_use]
    pub fn key(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Push { notification, channel } => format!("{kind}:{notification}:{channel}"),
            Self::SendLoginCode { code, .. } => format!("{kind}:{code}"),
            Self::OrderParcel { parcel, .. } | Self::TrackParcel { parcel, .. } | Self::CancelParcel { parcel, .. } => {
                format!("{kind}:{parcel}")
            }
            Self::ReadCallback { callback } => format!("{kind}:{callback}"),
            Self::RemoveContent { path } => format!("{kind}:{path}"),
        }
    }

    /// The lane that it waits in.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Push { channel, .. } => Lane::push(channel),
            Self::SendLoginCode { channel, .. } => Lane::login(channel),
            Self::OrderParcel { carrier, .. }
            | Self::TrackParcel { carrier, .. }
            | Self::CancelParcel { carrier, .. } => Lane::courier(carrier),
            Self::ReadCallback { .. } | Self::RemoveContent { .. } => Lane::inside(),
        }
    }
}

/// The queue before one gateway: `push.wechat`, `courier.ems`; `login.sms_aliyun` for one-time codes, which wait behind no
/// push; or `inside`, for work that calls no gateway.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(String);
shown!(Lane);

impl Lane {
    /// The lane of a channel.
    #[must_use]
    pub fn push(channel: &ChannelCode) -> Self {
        Self(format!("push.{channel}"))
    }

    /// The lane of one-time codes over a channel: they are worth something for minutes only, and somebody waits for each.
    #[must_use]
    pub fn login(channel: &ChannelCode) -> Self {
        Self(format!("login.{channel}"))
    }

    /// The lane of the pushes that go to the same gateway under the same limit, where this is one of codes.
    #[must_use]
    pub fn pushes_beside(&self) -> Option<Self> {
        self.0.strip_prefix("login.").map(|channel| Self(format!("push.{channel}")))
    }

    /// The lane of a carrier.
    #[must_use]
    pub fn courier(carrier: &CarrierCode) -> Self {
        Self(format!("courier.{carrier}"))
    }

    /// The lane of work that calls no gateway.
    #[must_use]
    pub fn inside() -> Self {
        Self("inside".to_owned())
    }

    /// A lane as the database stores it.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

/// Work promised, and how long after the promise it is due. The database adds the delay to its own clock, so that
/// processes with wrong clocks promise rightly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What to do.
    pub work: Work,
    /// Not before this long after the promise.
    pub delay: Duration,
}

impl Job {
    /// Work to be done at once.
    #[must_use]
    pub const fn now(work: Work) -> Self {
        Self { work, delay: Duration::ZERO }
    }

    /// Work to be done after a while.
    #[must_use]
    pub const fn after(work: Work, delay: Duration) -> Self {
        Self { work, delay }
    }
}

/// A promised job, as the queue knows it: its id, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub job: JobId,
    /// In which lane.
    pub lane: Lane,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// To be done, or being done.
    Pending,
    Done,
    /// Given up: a dead letter, with its cause, until somebody replays it.
    Dead,
}

impl JobState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn kinds_and_payloads_never_change() {
        let parcel = ParcelId::from_uuid(Uuid::from_u128(1));
        let work = Work::OrderParcel { parcel, carrier: CarrierCode::new("ems") };
        assert_eq!(
            serde_json::to_value(&work).unwrap(),
            serde_json::json!({"kind": "order_parcel", "parcel": parcel.to_string(), "carrier": "ems"})
        );
        assert_eq!(work.key(), format!("order_parcel:{parcel}"));
        assert_eq!(work.lane().as_str(), "courier.ems");

        let code =
            Work::SendLoginCode { code: LoginCodeId::from_uuid(Uuid::from_u128(1)), channel: ChannelCode::new("owl") };
        assert_eq!(code.lane().as_str(), "login.owl");
        assert_eq!(code.lane().pushes_beside(), Some(Lane::push(&ChannelCode::new("owl"))));
        assert_eq!(Lane::push(&ChannelCode::new("owl")).pushes_beside(), None);
    }
}
