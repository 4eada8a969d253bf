//! Notifications (通知): one message to one person about one event. It appears in the inbox at once. For most events
//! ([`Event::rings`]) it is also sent to the phone: channels (渠道) are tried one after the other until one delivers it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::clock::{Instant, beijing};
use crate::domain::kernel::ids::{CaseId, NotificationId, ParcelId, PersonId};
use crate::domain::kernel::shown::codes;
use crate::domain::kernel::text::{Bilingual, Language};
use crate::domain::kernel::words::words;

codes! {
    /// The name of a channel: `wechat`, `sms_aliyun`, …
    ChannelCode;
}

words! {
    /// An event that a person is notified about.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Event {
        /// 已受理: the case was accepted.
        Accepted = "accepted",
        /// 补正告知: something is missing.
        SupplementNoticed = "supplement_noticed",
        /// 准予: the application was granted.
        Granted = "granted",
        /// 不予: the application was denied.
        Denied = "denied",
        /// 已寄出: the carrier took the parcel.
        ParcelPickedUp = "parcel_picked_up",
        /// 派送中: the parcel is out for delivery.
        ParcelOutForDelivery = "parcel_out_for_delivery",
        /// 待领取: the parcel waits at a locker or an outlet.
        ParcelReadyForPickup = "parcel_ready_for_pickup",
        /// 已签收: the parcel was delivered.
        ParcelDelivered = "parcel_delivered",
        /// 已退回: the parcel came back.
        ParcelReturned = "parcel_returned",
        /// 地址有误: the carrier refuses the address.
        ParcelAddressRefused = "parcel_address_refused",
        /// 寄递取消: the order was cancelled before the parcel was collected.
        ParcelCancelled = "parcel_cancelled",
        /// 文件未通过检查: officers cannot see a submitted file.
        FileRefused = "file_refused",
    }
}

impl Event {
    /// True if the event is also sent to the phone. The other events appear in the inbox only, because a push about
    /// them could use up a one-time consent that a more important event needs. After a refused
    /// file, the supplement notice rings.
    pub const fn rings(self) -> bool {
        !matches!(self, Self::Accepted | Self::ParcelPickedUp | Self::FileRefused)
    }
}

/// A notification, as the inbox shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The id. It is also the idempotency key at gateways.
    pub id: NotificationId,
    pub person: PersonId,
    pub case: CaseId,
    pub case_number: CaseNumber,
    pub event: Event,
    /// The parcel that the notification reports on, if any.
    pub parcel: Option<ParcelId>,
    /// The item, in words that may appear on a locked screen.
    pub item: Bilingual,
    pub created_at: Instant,
}

/// The wording of one event on one channel in one language: a template that the gateway has approved, and the contents
/// of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The id of the template at the gateway.
    pub id: String,
    /// Field name → pattern. Patterns may contain `{item}`, `{status}`, `{number}`, `{time}` and `{case}`.
    pub fields: BTreeMap<String, String>,
    /// The page that a tap opens, with the same placeholders. It must contain no personal data, only opaque ids.
    #[serde(default)]
    pub page: Option<String>,
    /// Field name → text that always fits, used if the gateway refuses the filled pattern. No placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fallbacks: BTreeMap<String, String>,
    #[serde(default)]
    pub consent: Consent,
}

/// How many messages a recipient's consent to a template allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// No consent is needed.
    #[default]
    NotNeeded,
    /// One consent, one message (一次性订阅).
    OneTime,
    /// One consent, messages until it is withdrawn (长期订阅).
    LongTerm,
}

/// A notification in the words of one channel: everything that the channel's adapter needs, except the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushMessage {
    /// Our idempotency key, the same in every attempt.
    pub key: String,
    /// The template's id at the gateway.
    pub template: String,
    /// Field name → text, not yet cut to the gateway's limits.
    pub fields: BTreeMap<String, String>,
    /// The page that a tap opens.
    pub page: Option<String>,
    /// Field name → text to use if the gateway refuses the field.
    pub fallbacks: BTreeMap<String, String>,
    pub language: Language,
    /// The kind of consent that the template needs. With a one-time consent the phone shows at most one copy: a second
    /// copy needs a second consent.
    pub consent: Consent,
}

/// The part of a message that a gateway refused. The gateway possibly accepts the message without that part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// The page that a tap would open does not exist.
    Page,
    /// The text of this field does not fit its type.
    Field(String),
}

impl PushMessage {
    /// Returns the message without the refused part: without the page, or with the field's fallback. `None` if that
    /// changes nothing, or if the field has no fallback.
    #[must_use]
    pub fn without(&self, objection: &Objection) -> Option<Self> {
        let mut plainer = self.clone();
        match objection {
            Objection::Page => plainer.page = None,
            Objection::Field(name) => {
                let fallback = self.fallbacks.get(name)?.clone();
                plainer.fields.insert(name.clone(), fallback);
            }
        }
        (plainer != *self).then_some(plainer)
    }
}

/// A template as it is registered at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTemplate {
    /// Its id at the gateway.
    pub id: String,
    /// Field name → the only texts that the field takes; empty if it takes any text of its type.
    pub fields: BTreeMap<String, Vec<String>>,
    pub consent: Consent,
}

impl Template {
    pub fn word(&self, notification: &Notification, status: &Bilingual, language: Language) -> PushMessage {
        let time = notification.created_at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M").to_string();
        let fill = |pattern: &String| {
            pattern
                .replace("{item}", notification.item.get(language))
                .replace("{status}", status.get(language))
                .replace("{number}", notification.case_number.as_str())
                .replace("{time}", &time)
                .replace("{case}", &notification.case.to_string())
        };
        PushMessage {
            key: notification.id.to_string(),
            template: self.id.clone(),
            fields: self.fields.iter().map(|(name, pattern)| (name.clone(), fill(pattern))).collect(),
            page: self.page.as_ref().map(fill),
            fallbacks: self.fallbacks.clone(),
            language,
            consent: self.consent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_part_is_left_out_or_replaced_once() {
        let text = |text: &str| BTreeMap::from([("phrase2".to_owned(), text.to_owned())]);
        let message = PushMessage {
            key: "ntf_1".to_owned(),
            template: "tpl".to_owned(),
            fields: text("准予办理"),
            page: Some("pages/case".to_owned()),
            fallbacks: text("已有结果"),
            language: Language::Chinese,
            consent: Consent::OneTime,
        };
        let bare = message.without(&Objection::Page).unwrap();
        assert_eq!((bare.page.clone(), &bare.fields), (None, &message.fields));
        assert_eq!(bare.without(&Objection::Page), None);
        let plain = message.without(&Objection::Field("phrase2".to_owned())).unwrap();
        assert_eq!((&plain.page, &plain.fields), (&message.page, &message.fallbacks));
        assert_eq!(plain.without(&Objection::Field("phrase2".to_owned())), None, "the fallback itself was refused");
        assert_eq!(message.without(&Objection::Field("thing1".to_owned())), None, "the field has no fallback");
    }
}
