//! Applications (申请): what a person hands in. A draft holds one that may be incomplete; a case keeps the one that it
//! was opened with, sealed, and it never changes; the answer to a supplement notice is one more beside it.
//!
//! A natural person applies for themselves, or through an agent (代办) whom the form names: whoever hands it in must stand in
//! it as they proved to be. For an enterprise the person who handles its affairs (经办人) applies, and the item's form asks
//! for the enterprise; so no subject is refused here beyond what the form refuses.

mod check;
pub mod upload;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::form::Form;
use crate::domain::kernel::ids::{AddressId, UploadId};
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::{masked_phone, masked_resident_id};

pub use check::Circumstances;

/// How long what is not handed in is kept: a draft after its last change, a file after its upload.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// What is handed in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Application {
    /// Who handed it in, as they were known at that moment; absent in drafts, and where another system knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant: Option<Particulars>,
    /// A word to the officer, in the answer to a supplement notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Private<String>>,
    /// The answers to the item's form.
    pub form: Private<Value>,
    /// The files, by material.
    pub materials: Vec<HandedIn>,
}

/// A person, as the real-name step knew them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// 姓名
    pub name: Private<String>,
    /// 公民身份号码
    pub resident_id: Private<String>,
    /// The mobile number, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Private<String>>,
}

impl Particulars {
    fn masked(self) -> Self {
        Self {
            resident_id: Private::new(masked_resident_id(self.resident_id.expose())),
            phone: self.phone.map(|phone| Private::new(masked_phone(phone.expose()))),
            ..self
        }
    }
}

/// The files for one material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    /// Which material of the item.
    pub key: String,
    /// The files, in order.
    pub uploads: Vec<UploadId>,
}

/// How an applicant wants the result to arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum DeliveryChoice {
    /// 电子送达
    Electronic,
    /// 快递送达
    Courier {
        /// To this entry of the address book.
        address: AddressId,
    },
    /// 窗口领取
    Counter {
        /// At this hall.
        hall: String,
    },
}

/// What a draft holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftContent {
    /// As far as it is filled in.
    #[serde(flatten)]
    pub application: Application,
    /// How the result is to arrive, once that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryChoice>,
}

impl Application {
    /// As an officer sees it who has no reason yet to see more: resident IDs and phone numbers are masked, in the form
    /// of the item too.
    #[must_use]
    pub fn masked(self, form: Option<&Form>) -> Self {
        let answers = form.map(|form| Private::new(form.masked(self.form.expose())));
        Self { applicant: self.applicant.map(Particulars::masked), form: answers.unwrap_or(self.form), ..self }
    }

    /// Every file that it names, in its materials or in its form.
    #[must_use]
    pub fn uploads(&self) -> BTreeSet<UploadId> {
        let mut found: BTreeSet<_> = self.materials.iter().flat_map(|handed_in| &handed_in.uploads).copied().collect();
        found.extend(uploads_of(self.form.expose(), String::new()).into_iter().map(|(_, upload)| upload));
        found
    }
}

/// Every text of a form's answers that is the id of an upload, with its place.
fn uploads_of(value: &Value, pointer: String) -> Vec<(String, UploadId)> {
    match value {
        Value::String(text) => text.parse().map(|upload| (pointer, upload)).into_iter().collect(),
        Value::Array(items) => {
            let below = |(at, item)| uploads_of(item, format!("{pointer}/{at}"));
            items.iter().enumerate().flat_map(below).collect()
        }
        Value::Object(members) => {
            let below = |(name, member): (&String, &Value)| {
                uploads_of(member, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")))
            };
            members.iter().flat_map(below).collect()
        }
        _ => Vec::new(),
    }
}
