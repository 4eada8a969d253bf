//! An officer who signs in, finds a case in the queue, accepts it and decides it.

use serde_json::{Value, json};

use super::fresh::fresh_key;
use super::http::Caller;
use super::mishap::{Mishap, Played};

#[derive(Clone)]
pub struct DeskOfficer {
    caller: Caller,
}

impl DeskOfficer {
    pub async fn sign_in(api: &Caller, username: &str, password: &str) -> Played<Self> {
        let body = json!({"username": username, "password": password});
        let reply = api.post("/staff/v1/sessions").json(&body).success().await?;
        Ok(Self { caller: api.with_token(reply.text("/access_token")?) })
    }

    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// True if a case is in the queue of the officer's agency.
    pub async fn sees(&self, case: &str) -> Played<bool> {
        let mut cursor = None::<String>;
        loop {
            let call = self.caller.get("/staff/v1/cases").query(&[("state", "submitted")]);
            let call = match &cursor {
                Some(cursor) => call.query(&[("cursor", cursor)]),
                None => call,
            };
            let page = call.success().await?;
            if page.rows()?.iter().any(|row| row["id"] == case) {
                return Ok(true);
            }
            cursor = page.body["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(false);
            }
        }
    }

    /// Returns the parcels of a case, oldest first.
    pub async fn parcels(&self, case: &str) -> Played<Vec<Value>> {
        Ok(self.caller.get(&format!("/staff/v1/cases/{case}/parcels")).success().await?.rows()?.to_vec())
    }

    /// Returns the state of a case's last parcel; `None` if the case has no parcel.
    pub async fn parcel_state(&self, case: &str) -> Played<Option<String>> {
        let parcels = self.parcels(case).await?;
        Ok(parcels.last().and_then(|parcel| parcel["state"].as_str()).map(str::to_owned))
    }

    /// Accepts a case, and checks that the API refuses an act on the old version afterwards.
    pub async fn accept(&self, case: &str) -> Played<()> {
        let path = format!("/staff/v1/cases/{case}");
        let read = self.caller.get(&path).success().await?;
        let acceptance = format!("{path}/acceptance");
        self.caller.post(&acceptance).if_match(read.etag()).json(&json!({})).success().await?;
        let stale = self.caller.post(&acceptance).if_match(read.etag()).json(&json!({})).answer().await?;
        if stale.status.as_u16() != 412 {
            return Err(Mishap::Wrong(format!("an act on an old version was answered {}, not 412", stale.status)));
        }
        Ok(())
    }

    pub async fn grant(&self, case: &str, result: &Value) -> Played<()> {
        let path = format!("/staff/v1/cases/{case}");
        let read = self.caller.get(&path).success().await?;
        let decision = json!({"outcome": "grant", "reasons": "材料齐全，符合法定条件。", "result": result});
        let call = self.caller.post(&format!("{path}/decision")).if_match(read.etag()).once(&fresh_key());
        call.json(&decision).success().await?;
        Ok(())
    }
}
