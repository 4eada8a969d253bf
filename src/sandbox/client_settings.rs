//! The settings of a Songda that uses the sandbox in place of the real gateways. `script/run`, the tests and the
//! benchmarks read them from here, and `script/generate` writes them into `script/sandbox.env` for compose.yaml. All
//! keys are synthetic; only the sandbox accepts them.

use std::sync::Arc;

use super::twin::Twin;
use super::world_settings::WorldSettings;

/// Settings of the installation rather than of a gateway.
const INSTALLATION: [(&str, &str); 13] = [
    // The waits before Songda repeats an order or a message that the gateway reports as absent. Real gateways need
    // longer waits, because they may know a new order or message only after a while. The sandbox knows it at once.
    ("SONGDA_ABSENT_FOR", "5s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "5s"),
    // Pages under development may be anywhere, and on one machine all callers have one address.
    ("SONGDA_CORS_ORIGINS", "*"),
    ("SONGDA_CONNECTIONS_PER_ADDRESS", "10000"),
    // A parcel of the sandbox is at a new station every second, so its news must not wait for a minute.
    ("SONGDA_HINTED_LOOK_EVERY", "200ms"),
    ("SONGDA_OFFICE_NAME", "金坛区政务服务中心"),
    ("SONGDA_OFFICE_PHONE", "0519-12345678"),
    ("SONGDA_OFFICE_REGION", "320413"),
    ("SONGDA_OFFICE_PROVINCE", "江苏省"),
    ("SONGDA_OFFICE_CITY", "常州市"),
    ("SONGDA_OFFICE_COUNTY", "金坛区"),
    ("SONGDA_OFFICE_DETAIL", "西城街道清风路1号"),
    ("SONGDA_OFFICE_POSTCODE", "213200"),
];

/// Returns the names and values of all settings, for a sandbox that answers at `url`.
pub fn client_settings(url: &str, world: &WorldSettings, twins: &[Arc<dyn Twin>]) -> Vec<(String, String)> {
    let installation = INSTALLATION.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let gateways = twins.iter().flat_map(|twin| gateway(url, world, &**twin));
    gateways.chain(installation).collect()
}

fn gateway(url: &str, world: &WorldSettings, twin: &dyn Twin) -> impl Iterator<Item = (String, String)> + use<> {
    let name = twin.name();
    let secret = (format!("SONGDA_{}_CALLBACK_SECRET", name.to_uppercase()), world.callback_secret(name));
    let secret = twin.calls_back().then_some(secret);
    let address = (format!("SONGDA_{}_URL", name.to_uppercase()), format!("{}/{name}", url.trim_end_matches('/')));
    let others = twin.client_settings().into_iter().map(|(name, value)| (name.to_owned(), value));
    [address].into_iter().chain(others).chain(secret)
}
