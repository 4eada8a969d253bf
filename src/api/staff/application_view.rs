//! An application, as officers see it.

use poem_openapi::Object;
use serde_json::Value;

use crate::domain::application::{Application, HandedIn, Particulars};
use crate::domain::kernel::ids::UploadId;

/// 申请材料。 The form and the files that the applicant handed in.
#[derive(Debug, Object)]
#[oai(rename = "Application", skip_serializing_if_is_none)]
pub(super) struct ApplicationBody {
    /// The applicant at the time of the submission. Absent in an answer to a supplement notice, and in a case that
    /// another system reported.
    applicant: Option<ApplicantBody>,
    /// A note to the officer, in an answer to a supplement notice.
    note: Option<String>,
    /// The entries in the item's form. The `form_schema` of the item describes them.
    form: Value,
    /// The uploaded files, by material.
    materials: Vec<HandedInBody>,
}

/// 申请人。 The applicant. The real-name check (实名认证) confirmed the name and the resident ID.
#[derive(Debug, Object)]
#[oai(rename = "Applicant", skip_serializing_if_is_none)]
struct ApplicantBody {
    /// 姓名
    name: String,
    /// 公民身份号码, masked except in the response of `disclose_case`.
    resident_id: String,
    /// 手机号, masked except in the response of `disclose_case`.
    phone: Option<String>,
}

/// 材料。 The uploaded files for one material.
#[derive(Debug, Object)]
#[oai(rename = "HandedIn")]
struct HandedInBody {
    /// The `key` of the material in the item.
    key: String,
    /// The ids of the uploaded files, in the applicant's order.
    uploads: Vec<UploadId>,
}

impl From<&Application> for ApplicationBody {
    fn from(application: &Application) -> Self {
        let body = |HandedIn { key, uploads }| HandedInBody { key, uploads };
        Self {
            applicant: application.applicant.as_ref().map(ApplicantBody::from),
            note: application.note.as_ref().map(|note| note.expose().clone()),
            form: application.form.expose().clone(),
            materials: application.materials.iter().cloned().map(body).collect(),
        }
    }
}

impl From<&Particulars> for ApplicantBody {
    fn from(particulars: &Particulars) -> Self {
        Self {
            name: particulars.name.expose().clone(),
            resident_id: particulars.resident_id.expose().clone(),
            phone: particulars.phone.as_ref().map(|phone| phone.expose().clone()),
        }
    }
}

impl ApplicationBody {
    pub(super) fn example() -> Self {
        Self {
            applicant: Some(ApplicantBody {
                name: "王小明".to_owned(),
                resident_id: "1101**********002X".to_owned(),
                phone: Some("138****8000".to_owned()),
            }),
            note: None,
            form: serde_json::json!({ "reason": "work" }),
            materials: Vec::new(),
        }
    }
}
