//! Residents, officers and operators of a desk.

use std::ops::Deref;

use serde_json::json;
use songda::demo::form::Applicant;
use songda::demo::http::Caller;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone, fresh_resident_id};

use super::desk::Desk;
use super::items::AGENCY;

/// The password of every officer and operator.
pub const PASSWORD: &str = "correct horse battery staple";

/// A resident who is signed in, verified, and has a phone.
#[derive(Clone)]
pub struct Person {
    resident: Resident,
    openid: Option<String>,
}

impl Person {
    /// Returns the resident's address at WeChat. Panics if the resident signed in by SMS.
    pub fn openid(&self) -> &str {
        self.openid.as_deref().expect("the resident signed in by WeChat")
    }

    /// Returns the resident's address at WeChat, if the resident signed in by WeChat.
    pub fn openid_if_any(&self) -> Option<&str> {
        self.openid.as_deref()
    }

    pub const fn phone(&self) -> &'static str {
        self.resident.applicant.phone
    }
}

impl Deref for Person {
    type Target = Resident;

    fn deref(&self) -> &Resident {
        &self.resident
    }
}

/// Makes up the details of a new applicant with this phone. Strings are leaked, because [`Applicant`] needs static
/// strings.
pub fn applicant(phone: String) -> Applicant {
    Applicant {
        name: "王小明",
        resident_id: Box::leak(fresh_resident_id().into_boxed_str()),
        phone: Box::leak(phone.into_boxed_str()),
        home: "西城街道清风路1号",
    }
}

/// Returns the arguments of `songda staff add`.
pub fn add_staff<'a>(username: &'a str, agency: &'a str, role: &'a str) -> [&'a str; 9] {
    ["staff", "add", username, "--name", "测试人员", "--agency", agency, "--role", role]
}

impl Desk {
    /// Creates a new resident who signed in by WeChat.
    pub async fn resident(&self) -> Person {
        self.resident_named(&fresh_key()).await
    }

    /// Creates a new resident whose openid is `openid-<name>`. Some names make the sandbox fail: see
    /// `songda::sandbox::faults`.
    pub async fn resident_named(&self, name: &str) -> Person {
        self.resident_by_wechat(name, fresh_phone()).await
    }

    /// Creates a new resident who signed in by WeChat and has this phone.
    pub async fn resident_with_phone(&self, phone: &str) -> Person {
        self.resident_by_wechat(&fresh_key(), phone.to_owned()).await
    }

    /// Creates a new resident who signed in by SMS.
    pub async fn resident_by_sms(&self) -> Person {
        let resident = Resident::by_sms(&self.api, &self.outside(), applicant(fresh_phone())).await.unwrap();
        resident.prove_identity().await.unwrap();
        Person { resident, openid: None }
    }

    async fn resident_by_wechat(&self, name: &str, phone: String) -> Person {
        let resident = Resident::by_wechat(&self.api, &format!("wx-{name}"), applicant(phone)).await.unwrap();
        resident.prove_identity().await.unwrap();
        resident.add_phone(&self.outside()).await.unwrap();
        Person { resident, openid: Some(format!("openid-{name}")) }
    }

    /// Creates a new resident who signed in by WeChat, is not verified, and has no phone.
    pub async fn stranger(&self) -> Resident {
        let applicant =
            Applicant {
                name: "李晓红", resident_id: "320482200002290011", phone: "13800138000", home: "清风路2号"
            };
        Resident::by_wechat(&self.api, &format!("wx-{}", fresh_key()), applicant).await.unwrap()
    }

    /// Signs in the officer of an agency. The template database has an officer for each agency in
    /// [`super::items::AGENCIES`].
    pub async fn officer(&self, agency: &str) -> DeskOfficer {
        self.officer_at(&self.api, agency).await
    }

    /// Signs in the officer of an agency at another process that serves this desk's API.
    pub async fn officer_at(&self, api: &Caller, agency: &str) -> DeskOfficer {
        DeskOfficer::sign_in(api, &format!("officer.{agency}"), PASSWORD).await.unwrap()
    }

    /// Signs in the officer of the agency that decides an item.
    pub async fn officer_for(&self, item: &str) -> DeskOfficer {
        let guide = self.api.get(&format!("/v1/items/{item}")).success().await.unwrap();
        self.officer(&guide.text("/agency/code").or_else(|_| guide.text("/agency")).unwrap()).await
    }

    /// Adds the operator `operator`, and signs the operator in.
    pub async fn operator(&self) -> DeskOfficer {
        self.songda(&add_staff("operator", AGENCY, "operator")).await;
        DeskOfficer::sign_in(&self.api, "operator", PASSWORD).await.unwrap()
    }

    /// Signs staff in, and returns the access token.
    pub async fn staff_token(&self, username: &str) -> String {
        let credentials = json!({"username": username, "password": PASSWORD});
        self.api.post("/staff/v1/sessions").json(&credentials).success().await.unwrap().text("/access_token").unwrap()
    }
}
