//! Somebody of each kind, and one of each thing, so that what is asked for by chance is often there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::officer::DeskOfficer;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::{InstallationId, JobId};
use tokio::process::Child;

use crate::support::desk::{Desk, PASSWORD};
use crate::support::office::{KnownOffice, result};

/// Handled on the phone; its result goes by the post.
const ITEM: &str = "JT-0045";
const AGENCY: &str = "public-security";

/// They, and it.
pub struct Known {
    tokens: BTreeMap<&'static str, String>,
    things: BTreeMap<String, String>,
    _worker: Child,
}

impl Known {
    /// Makes all of it, by way of the API; and lets a worker do what follows, as long as it is known.
    pub async fn on(desk: &Desk) -> Self {
        let worker = desk.worker(None);
        let (resident, _) = desk.resident().await;
        let officer = desk.officer(AGENCY).await;
        let address = resident.add_address().await.unwrap();
        let delivery = json!({"way": "courier", "address": address});
        let draft = resident.draft(ITEM, &delivery).await.unwrap();
        let decided = resident.submit(&resident.draft(ITEM, &delivery).await.unwrap()).await.unwrap().id;
        officer.accept(&decided).await.unwrap();
        officer.grant(&decided, &json!({"title": "居住证"})).await.unwrap();
        let waiting = resident.submit(&resident.draft(ITEM, &delivery).await.unwrap()).await.unwrap().id;
        let first = async |path: &str| {
            let rows = resident.caller().get(path).success().await.unwrap();
            rows.rows().unwrap()[0]["id"].as_str().unwrap().to_owned()
        };
        let (notification, parcel) =
            (first("/v1/notifications").await, first(&format!("/v1/cases/{decided}/parcels")).await);
        let upload = resident.upload("scan").await.unwrap();
        let job: sqlx::types::Uuid =
            sqlx::query_scalar("select id from jobs limit 1").fetch_one(&desk.database).await.unwrap();

        let operator = ["staff", "add", "operator", "--name", "运维", "--agency", AGENCY, "--role", "operator"];
        desk.songda(&operator).await;
        let operator = DeskOfficer::sign_in(&desk.api, "operator", PASSWORD).await.unwrap();
        let office = KnownOffice::new(desk).await;
        let client = office.token(desk).await;
        let known = result(resident.applicant.phone);
        let batch = desk.api.with_token(client.as_str()).post("/integration/v1/result-batches");
        batch.once(&fresh_key()).json(&json!({"results": [known]})).success().await.unwrap();

        let token = |caller: &songda::demo::http::Caller| caller.token().unwrap().to_owned();
        let tokens = [
            ("person", token(resident.caller())),
            ("officer", token(officer.caller())),
            ("operator", token(operator.caller())),
            ("client", client),
        ];
        let things = [
            ("adr", address),
            ("drf", draft),
            ("case", waiting),
            ("ntf", notification),
            ("prc", parcel),
            ("upl", upload),
            ("job", JobId::from_uuid(job).to_string()),
            ("ins", fresh(InstallationId::from_uuid).to_string()),
            ("code", ITEM.to_owned()),
            ("source", office.source),
            ("reference", known["ref"].as_str().unwrap().to_owned()),
        ];
        let things = things.into_iter().map(|(name, thing)| (name.to_owned(), thing)).collect();
        Self { tokens: tokens.into(), things, _worker: worker }
    }

    /// The token of who bears this security scheme in the documents.
    pub fn token(&self, scheme: &str) -> &str {
        &self.tokens[scheme]
    }

    /// The things, by the prefix of their ids or by the names of their parameters.
    pub const fn things(&self) -> &BTreeMap<String, String> {
        &self.things
    }

    /// The thing that a path parameter of the documents names: by the prefix of its ids, or else by its own name.
    pub fn thing(&self, parameter: &Value) -> &str {
        let prefix =
            parameter["schema"]["pattern"].as_str().and_then(|pattern| pattern.strip_prefix('^')?.split_once('_'));
        let name = prefix.map_or_else(|| parameter["name"].as_str().unwrap(), |(prefix, _)| prefix);
        self.things.get(name).unwrap_or_else(|| panic!("nothing is known of {parameter}"))
    }
}
