//! Checks the gateways that this installation uses. A gateway that offers a request without side effects is sent that
//! request, with the gateway's own time-out. A gateway that offers none is not called.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use songda::domain::notice::notification::ChannelCode;
use songda::env::Env;
use songda::gateway::courier::Carriers;
use songda::gateway::identity;
use songda::gateway::login::Logins;
use songda::gateway::malware::Clamd;
use songda::gateway::push::Channels;
use songda::gateway::shared::callback::CallbackAccess;
use songda::gateway::shared::probe::Probe;
use songda::registry::Registry;

use super::finding::Finding;
use super::installation::Installation;

pub const GROUP: &str = "gateways";

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let env = &mut Env::of_process();
    let registry = Registry::shipped();
    let channels = Channels::read(env, registry.channels(), &installation.clock);
    let carriers = Carriers::read(env, registry.carriers(), &installation.clock);
    let logins = Logins::read(env, registry.logins(), &installation.clock);
    let check = identity::read(env, registry.identities(), &installation.clock);
    let clamd = Clamd::read(env);

    let mut asked: Vec<BoxFuture<'_, Finding>> = Vec::new();
    for channel in channels.iter() {
        asked.push(ask(format!("push.{}", channel.code()), channel.code().to_string(), channel.probe()));
    }
    for carrier in carriers.iter() {
        asked.push(ask(format!("courier.{}", carrier.code()), carrier.code().to_string(), carrier.probe()));
    }
    asked.extend(logins.iter().map(|(code, login)| ask("sign-in".to_owned(), code.to_owned(), login.probe())));
    asked.extend(check.iter().map(|check| ask("identity".to_owned(), "identity".to_owned(), check.probe())));
    let mut findings = join_all(asked).await;
    if let Some(clamd) = clamd {
        findings.push(of_scanner(clamd.probe().await));
    }
    findings.extend(of_codes(env, &channels));
    let of_channels =
        channels.iter().filter(|it| !it.signs_callbacks()).map(|it| (it.code().as_str(), it.callback_access()));
    let of_carriers =
        carriers.iter().filter(|it| !it.signs_callbacks()).map(|it| (it.code().as_str(), it.callback_access()));
    findings.extend(of_channels.chain(of_carriers).filter_map(|(code, access)| of_callbacks(code, access?)));
    findings
}

/// Warns if anybody who knows the secret path may call back in the name of a gateway that signs nothing.
fn of_callbacks(code: &str, access: &CallbackAccess) -> Option<Finding> {
    let what = format!("{code} signs no callbacks, and may call back from any network");
    let advice = format!("set SONGDA_{}_CALLBACK_SOURCES to the gateway's own networks", code.to_uppercase());
    access.is_open_to_all().then(|| Finding::warning(GROUP, "callbacks", what, advice))
}

/// Sends a request without side effects to a gateway. `settings` is the gateway's part of the setting names: `ems` for
/// `SONGDA_EMS_URL`.
fn ask(check: String, settings: String, probe: BoxFuture<'_, Probe>) -> BoxFuture<'_, Finding> {
    async move { told(check, &settings.to_uppercase(), probe.await) }.boxed()
}

fn told(check: String, settings: &str, probe: Probe) -> Finding {
    match probe {
        Probe::Well => Finding::ok(GROUP, check, "it answers and accepts our account"),
        Probe::NotAsked => {
            Finding::ok(GROUP, check, "it is set up; it has no request without side effects, so it was not called")
        }
        Probe::Throttled => {
            let advice =
                "other programs may use up the account's quota; if this persists, lower the rate or raise the quota";
            Finding::warning(GROUP, check, "it answers, but throttles our requests", advice)
        }
        Probe::Refused(why) => {
            let advice = format!(
                "compare the keys in SONGDA_{settings}_* with its console; check that it allows this machine's address \
                 and that the contract is still valid"
            );
            Finding::fault(GROUP, check, format!("it refuses our account ({why})"), advice)
        }
        Probe::Silent(why) => {
            let advice = format!(
                "check SONGDA_{settings}_URL and that the network allows outgoing connections; until then its jobs \
                 wait, and none is lost"
            );
            Finding::fault(GROUP, check, format!("it gives no valid answer ({why})"), advice)
        }
    }
}

fn of_scanner(probe: Probe) -> Finding {
    match probe {
        Probe::Well => Finding::ok(GROUP, "malware", "clamd answers"),
        other => {
            let advice = "check SONGDA_CLAMD and that clamd runs; until then uploaded files wait unchecked, and no person \
                          is shown them";
            Finding::fault(GROUP, "malware", format!("clamd gives no valid answer ({other:?})"), advice)
        }
    }
}

/// Returns a warning if the channel that is set for sign-in codes is switched off or cannot send such codes: residents
/// then cannot sign in by phone.
fn of_codes(env: &mut Env, channels: &Channels) -> Option<Finding> {
    let code: String = env.or("SONGDA_CODE_CHANNEL", "sms_aliyun", "channel that carries one-time sign-in codes")?;
    let channel = channels.get(&ChannelCode::new(code.clone()));
    if channel.is_some_and(|channel| channel.login_template().is_some()) {
        return None;
    }
    let what = format!("{code} is set to carry sign-in codes, but it is off or cannot carry them");
    Some(Finding::warning(GROUP, "codes", what, "set SONGDA_CODE_CHANNEL to a channel that is on and can carry codes"))
}
