//! Jobs (任务): work that a change of the database causes, such as a push or a courier order. A job is inserted in the
//! transaction of that change, so it is not lost if a process dies. Its business key is unique, so inserting it again
//! adds nothing.
//!
//! A job waits in a [`Lane`]. Each gateway has its own lane with its own limits, so a slow gateway delays no other.

use std::fmt::Display;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::ids::{CallbackId, JobId, LoginCodeId, NotificationId, ParcelId, UploadId};
use crate::domain::kernel::shown::shown;
use crate::domain::kernel::words::words;
use crate::domain::notice::notification::ChannelCode;

/// The work of a job. The serialised tag is the kind of the job. Stored jobs outlive a release, so a kind is never
/// renamed or reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Deliver a notification to a phone over one channel.
    Push { notification: NotificationId, channel: ChannelCode },
    /// Send a one-time sign-in code by SMS.
    SendLoginCode { code: LoginCodeId, channel: ChannelCode },
    /// Order a parcel at its carrier.
    OrderParcel { parcel: ParcelId, carrier: CarrierCode },
    /// Ask the carrier for a parcel's state. Callbacks may be lost, and a callback alone does not prove that the
    /// parcel's journey ended.
    TrackParcel { parcel: ParcelId, carrier: CarrierCode },
    /// Cancel a parcel at its carrier.
    CancelParcel { parcel: ParcelId, carrier: CarrierCode },
    /// Parse an HTTP callback from a carrier or a platform, which was stored as received.
    ReadCallback { callback: CallbackId },
    /// Delete a file from the object store, because the file's database row was deleted or never inserted. `path` is
    /// its path in the object store.
    RemoveContent { path: String },
    /// Check an uploaded file, and make the copy that people are shown.
    CheckUpload { upload: UploadId },
}

impl Work {
    /// The kind of the job, as stored and shown.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::SendLoginCode { .. } => "send_login_code",
            Self::OrderParcel { .. } => "order_parcel",
            Self::TrackParcel { .. } => "track_parcel",
            Self::CancelParcel { .. } => "cancel_parcel",
            Self::ReadCallback { .. } => "read_callback",
            Self::RemoveContent { .. } => "remove_content",
            Self::CheckUpload { .. } => "check_upload",
        }
    }

    /// The business key: two jobs with the same key are one job.
    pub fn key(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Push { notification, channel } => Self::push_key(notification, channel),
            Self::SendLoginCode { code, .. } => format!("{kind}:{code}"),
            Self::OrderParcel { parcel, .. } | Self::TrackParcel { parcel, .. } | Self::CancelParcel { parcel, .. } => {
                format!("{kind}:{parcel}")
            }
            Self::ReadCallback { callback } => format!("{kind}:{callback}"),
            Self::RemoveContent { path } => format!("{kind}:{path}"),
            Self::CheckUpload { upload } => format!("{kind}:{upload}"),
        }
    }

    /// The business key of a push. `notification` can be plain text, because a gateway's delivery receipt contains the
    /// notification's id as text.
    pub fn push_key(notification: impl Display, channel: &ChannelCode) -> String {
        format!("push:{notification}:{channel}")
    }

    pub fn lane(&self) -> Lane {
        match self {
            Self::Push { channel, .. } => Lane::push(channel),
            Self::SendLoginCode { channel, .. } => Lane::login(channel),
            Self::OrderParcel { carrier, .. }
            | Self::TrackParcel { carrier, .. }
            | Self::CancelParcel { carrier, .. } => Lane::courier(carrier),
            Self::ReadCallback { .. } | Self::RemoveContent { .. } => Lane::inside(),
            Self::CheckUpload { .. } => Lane::files(),
        }
    }
}

/// A lane: the queue of the jobs for one gateway, such as `push.wechat` or `courier.ems`. `login.sms_aliyun` is for
/// one-time codes, which do not wait behind other messages. `files` is for checks of uploaded files, which need much
/// memory and time. `inside` is for other work that calls no gateway.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(String);
shown!(Lane);

impl Lane {
    pub fn push(channel: &ChannelCode) -> Self {
        Self(format!("push.{channel}"))
    }

    /// The lane of one-time codes over a channel. A code is valid for minutes only, and a person waits for it.
    pub fn login(channel: &ChannelCode) -> Self {
        Self(format!("login.{channel}"))
    }

    /// For a lane of one-time codes, returns the lane of the push messages to the same gateway. Both lanes share the
    /// gateway's rate limit. Returns `None` for any other lane.
    #[must_use]
    pub fn pushes_beside(&self) -> Option<Self> {
        self.0.strip_prefix("login.").map(|channel| Self(format!("push.{channel}")))
    }

    pub fn courier(carrier: &CarrierCode) -> Self {
        Self(format!("courier.{carrier}"))
    }

    /// The lane of checks of uploaded files.
    pub fn files() -> Self {
        Self("files".to_owned())
    }

    /// The lane of work that calls no gateway.
    pub fn inside() -> Self {
        Self("inside".to_owned())
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

/// A job to insert: the work, and how long after the insertion it is due. The database adds the delay to its own clock,
/// so a process with a wrong clock sets the right time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub work: Work,
    pub delay: Duration,
}

impl Job {
    pub const fn now(work: Work) -> Self {
        Self { work, delay: Duration::ZERO }
    }

    pub const fn after(work: Work, delay: Duration) -> Self {
        Self { work, delay }
    }
}

/// The part of a job that the Redis queue contains: its id and lane, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub job: JobId,
    pub lane: Lane,
}

words! {
    pub enum JobState {
        /// Waiting, or under way.
        Pending = "pending",
        Done = "done",
        /// Given up: a dead letter with its cause, until an operator replays it.
        Dead = "dead",
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
