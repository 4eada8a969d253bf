//! The demonstration behind `songda demo`: two [`journeys`] from an application on the phone to a delivered parcel, and
//! a [`batch`] of decisions. It uses only HTTP. It asks the sandbox (the simulated gateways), and not only the API,
//! which messages and parcels have arrived.

pub mod back_office;
pub mod batch;
pub mod form;
mod fresh;
pub mod http;
pub mod journeys;
pub mod mishap;
pub mod officer;
pub mod pdf;
pub mod resident;
pub mod sandbox;
mod stage;
pub mod story;
pub mod wait;

use reqwest::Url;

use self::batch::BatchSettings;
use self::http::Caller;
use self::mishap::Played;
use self::sandbox::SandboxClient;
use self::wait::until;
use crate::domain::kernel::private::Private;
use crate::env::Env;

pub use self::fresh::{fresh_key, fresh_phone, fresh_resident_id};
pub use self::mishap::check;
pub use self::stage::Stage;
pub use self::wait::STEP_TIME_OUT;

pub struct DemoSettings {
    pub api: Url,
    pub sandbox: Url,
    /// The officers' password. Their user names are `officer.<agency>`.
    pub officer_password: Private<String>,
    pub batch: BatchSettings,
}

impl DemoSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let api = env.required("SONGDA_DEMO_API_URL", "where the player finds the API");
        let sandbox = env.required("SONGDA_DEMO_SANDBOX_URL", "where the player finds the sandbox");
        let officer_password =
            env.secret("SONGDA_DEMO_OFFICER_PASSWORD", "password of the player's officers, called officer.<agency>");
        let batch = BatchSettings::read(env);
        Some(Self { api: api?, sandbox: sandbox?, officer_password: officer_password?, batch: batch? })
    }
}

/// Runs the whole demonstration and prints the verdict as the last line, `PASS …` or `FAIL …`. Returns true for `PASS`.
pub async fn play(settings: DemoSettings) -> bool {
    match play_all(settings).await {
        Ok(words) => println!("PASS {words}"),
        Err(mishap) => {
            println!("FAIL {mishap}");
            return false;
        }
    }
    true
}

async fn play_all(settings: DemoSettings) -> Played<String> {
    let api = Caller::new(settings.api.clone())?;
    let sandbox = SandboxClient::new(settings.sandbox)?;
    until("the API is ready", STEP_TIME_OUT, async || {
        Ok(api.get("/readyz").answer().await.ok().filter(|reply| reply.status.is_success()))
    })
    .await?;
    sandbox.aim(&settings.api).await?;
    let mut stage = Stage::new(api, sandbox, settings.officer_password);
    stage.moves_parcels = false;
    journeys::certificate(&stage).await?;
    journeys::licence(&stage).await?;
    let decisions = batch::play(&stage, &settings.batch).await?;
    let seconds = stage.story.seconds();
    Ok(format!("2 journeys and {decisions} decisions, each message once, one order per parcel, in {seconds} s"))
}
