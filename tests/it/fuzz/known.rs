//! A caller of each kind, and one resource of each kind, so that requests often name something that exists.

use std::collections::BTreeMap;

use serde_json::Value;
use songda::demo::http::Caller;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::{InstallationId, JobId, SessionId};
use tokio::process::Child;

use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::office::{Office, result};

/// Tokens of callers and ids of resources.
pub struct Known {
    tokens: BTreeMap<&'static str, String>,
    ids: BTreeMap<String, String>,
    _worker: Child,
}

impl Known {
    /// Creates the resources over the API. A worker does the jobs that follow from them, until the returned value is
    /// dropped.
    pub async fn on(desk: &Desk) -> Self {
        let worker = desk.worker();
        let resident = desk.resident().await;
        let address = resident.add_address().await.unwrap();
        let draft = desk.journey(ITEM).by(&resident).delivered_to(&address).await.id;
        let granted = desk.journey(ITEM).by(&resident).delivered_to(&address).submitted().accepted().granted().await;
        let submitted = desk.journey(ITEM).by(&resident).delivered_to(&address).submitted().await.id;
        let first = async |path: &str| {
            let rows = resident.caller().get(path).success().await.unwrap();
            rows.rows().unwrap()[0]["id"].as_str().unwrap().to_owned()
        };
        let notification = first("/v1/notifications").await;
        let parcel = first(&format!("{}/parcels", granted.path())).await;
        let upload = resident.upload("scan").await.unwrap();
        let job = JobId::from_uuid(desk.scalar("select id from jobs limit 1").await).to_string();

        let operator = desk.operator().await;
        let office = Office::register(desk).await;
        let reported = result(resident.phone());
        office.hand_in(std::slice::from_ref(&reported)).await;

        let token = |caller: &Caller| caller.token().unwrap().to_owned();
        let tokens = [
            ("person", token(resident.caller())),
            ("officer", token(granted.officer.caller())),
            ("operator", token(operator.caller())),
            ("client", token(&office.api)),
        ];
        let ids = [
            ("adr", address),
            ("drf", draft),
            ("case", submitted),
            ("ntf", notification),
            ("prc", parcel),
            ("upl", upload),
            ("job", job),
            ("ses", fresh(SessionId::from_uuid).to_string()),
            ("ins", fresh(InstallationId::from_uuid).to_string()),
            ("code", ITEM.to_owned()),
            ("source", office.source),
            ("reference", reported["ref"].as_str().unwrap().to_owned()),
        ];
        let ids = ids.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
        Self { tokens: tokens.into(), ids, _worker: worker }
    }

    /// Returns the token for a security scheme of the OpenAPI documents.
    pub fn token(&self, scheme: &str) -> &str {
        &self.tokens[scheme]
    }

    /// Returns the ids by their prefix (`case`), or by the name of their parameter if they have no prefix (`source`).
    pub const fn ids(&self) -> &BTreeMap<String, String> {
        &self.ids
    }

    /// Returns the id for a path parameter of the OpenAPI documents: by the prefix in its pattern, or by its name if it
    /// has no such pattern.
    pub fn id(&self, parameter: &Value) -> &str {
        let prefix =
            parameter["schema"]["pattern"].as_str().and_then(|pattern| pattern.strip_prefix('^')?.split_once('_'));
        let name = prefix.map_or_else(|| parameter["name"].as_str().unwrap(), |(prefix, _)| prefix);
        self.ids.get(name).unwrap_or_else(|| panic!("no id is known for {parameter}"))
    }
}
