//! Applications (申请): what a person submits. The application in a draft may be incomplete. The application that opened
//! a case is stored encrypted and never changes; the answer to a supplement notice is stored as a second application.
//!
//! A natural person applies for themselves, or through an agent (代办) named in the form. For an enterprise, the person
//! who handles its affairs (经办人) applies, and the item's form asks for the enterprise.

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

/// How long unsubmitted data is kept: a draft after its last change, a file after its upload.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// A submitted application, or one in preparation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Application {
    /// The applicant's verified identity at the time of submission. `None` in drafts, in answers to a supplement
    /// notice, and in cases from another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant: Option<Particulars>,
    /// A note to the officer, in the answer to a supplement notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Private<String>>,
    pub form: Private<Value>,
    /// The submitted files, grouped by the material that they belong to.
    pub materials: Vec<HandedIn>,
}

/// A person's particulars. The name and the resident ID are those that the real-name check (实名认证) verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// 姓名
    pub name: Private<String>,
    /// 公民身份号码
    pub resident_id: Private<String>,
    /// The mobile number, if known.
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

/// The files that are submitted for one material, in the applicant's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    /// The key of the material, as the item defines it (`Material::key`).
    pub key: String,
    pub uploads: Vec<UploadId>,
}

/// How the applicant wants to receive the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum DeliveryChoice {
    /// 电子送达
    Electronic,
    /// 快递送达, to an entry of the address book
    Courier { address: AddressId },
    /// 窗口领取, at the hall with this code
    Counter { hall: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftContent {
    #[serde(flatten)]
    pub application: Application,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryChoice>,
}

impl Application {
    /// Returns the application with resident IDs and phone numbers masked, including those in the answers to the form.
    /// An officer sees this version until they request the full information.
    #[must_use]
    pub fn masked(self, form: Option<&Form>) -> Self {
        let answers = form.map(|form| Private::new(form.masked(self.form.expose())));
        Self { applicant: self.applicant.map(Particulars::masked), form: answers.unwrap_or(self.form), ..self }
    }

    /// Returns the ids of all files that the materials or the form's answers name.
    pub fn uploads(&self) -> BTreeSet<UploadId> {
        let mut found: BTreeSet<_> = self.materials.iter().flat_map(|handed_in| &handed_in.uploads).copied().collect();
        found.extend(uploads_of(self.form.expose(), String::new()).into_iter().map(|(_, upload)| upload));
        found
    }
}

/// Finds every text in a form's answers that is an upload id. Returns each with its JSON pointer.
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
