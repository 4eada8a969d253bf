//! The clients of the API and of the sandbox, and the report. All parts of the demonstration share them.

use super::http::Caller;
use super::mishap::Played;
use super::officer::DeskOfficer;
use super::sandbox::SandboxClient;
use super::story::Story;
use crate::domain::kernel::private::Private;

pub struct Stage {
    /// A client of the API that sends no token.
    pub api: Caller,
    pub sandbox: SandboxClient,
    pub story: Story,
    /// True if the demonstration moves its parcels itself, without delay. Otherwise the sandbox moves them at its own
    /// pace.
    pub moves_parcels: bool,
    officer_password: Private<String>,
}

impl Stage {
    pub fn new(api: Caller, sandbox: SandboxClient, officer_password: Private<String>) -> Self {
        Self { api, sandbox, story: Story::begin(), moves_parcels: true, officer_password }
    }

    /// Signs in an officer of the agency that decides an item.
    pub(super) async fn officer_for(&self, item: &str) -> Played<DeskOfficer> {
        let guide = self.api.get(&format!("/v1/items/{item}")).success().await?;
        let agency = guide.at("/agency")?;
        let agency = agency.as_str().or_else(|| agency["code"].as_str()).unwrap_or_default();
        DeskOfficer::sign_in(&self.api, &format!("officer.{agency}"), self.officer_password.expose()).await
    }
}
