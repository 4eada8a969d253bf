//! The gateways that this installation uses: each is asked something harmless, within its own time-out.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use songda::domain::notice::notification::ChannelCode;
use songda::env::Env;
use songda::gateway::courier::Carriers;
use songda::gateway::identity;
use songda::gateway::login::wechat;
use songda::gateway::push::Channels;
use songda::gateway::shared::probe::Probe;
use songda::registry::Registry;

use super::finding::Finding;
use super::installation::Installation;

pub const GROUP: &str = "gateways";

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let (env, registry) = (&mut Env::of_process(), Registry::shipped());
    let channels = Channels::read(env, registry.channels(), &installation.clock);
    let carriers = Carriers::read(env, registry.carriers(), &installation.clock);
    let login = wechat::gateway(env);
    let check = identity::aliyun::gateway(env, &installation.clock);

    let mut asked: Vec<BoxFuture<'_, Finding>> = Vec::new();
    for channel in channels.iter() {
        asked.push(ask(format!("push.{}", channel.code()), channel.code().to_string(), channel.probe()));
    }
    for carrier in carriers.iter() {
        asked.push(ask(format!("courier.{}", carrier.code()), carrier.code().to_string(), carrier.probe()));
    }
    asked.extend(login.iter().map(|login| ask("sign-in".to_owned(), "wechat".to_owned(), login.probe())));
    asked.extend(check.iter().map(|check| ask("identity".to_owned(), "identity".to_owned(), check.probe())));
    let mut findings = join_all(asked).await;
    findings.extend(of_codes(env, &channels));
    findings
}

/// `settings` is the part of its settings' names that is the gateway's own.
fn ask(check: String, settings: String, probe: BoxFuture<'_, Probe>) -> BoxFuture<'_, Finding> {
    async move { told(check, &settings.to_uppercase(), probe.await) }.boxed()
}

fn told(check: String, settings: &str, probe: Probe) -> Finding {
    match probe {
        Probe::Well => Finding::ok(GROUP, check, "it answers, and takes our account for good"),
        Probe::NotAsked => Finding::ok(GROUP, check, "it is set up; there is nothing harmless to ask it"),
        Probe::Throttled => {
            let advice = "others may use up the account's quota; if it stays so, lower the rate or have it raised";
            Finding::warning(GROUP, check, "it answers, and asks for patience", advice)
        }
        Probe::Refused(why) => {
            let advice = format!(
                "compare the keys in SONGDA_{settings}_* with its console, and see whether it knows this machine's \
                 address, and whether the contract still runs"
            );
            Finding::fault(GROUP, check, format!("it refuses our account ({why})"), advice)
        }
        Probe::Silent(why) => {
            let advice = format!(
                "see whether SONGDA_{settings}_URL is right and the network lets us out; its work waits meanwhile, \
                 and nothing is lost"
            );
            Finding::fault(GROUP, check, format!("it gives no sensible answer ({why})"), advice)
        }
    }
}

/// Without a channel that carries sign-in codes nobody signs in by phone.
fn of_codes(env: &mut Env, channels: &Channels) -> Option<Finding> {
    let code: String = env.or("SONGDA_CODE_CHANNEL", "sms_aliyun", "channel that carries one-time sign-in codes")?;
    let channel = channels.get(&ChannelCode::new(code.clone()));
    if channel.is_some_and(|channel| channel.login_template().is_some()) {
        return None;
    }
    let what = format!("sign-in codes shall go over {code}, which is off or carries none");
    Some(Finding::warning(GROUP, "codes", what, "set SONGDA_CODE_CHANNEL to a channel that is on and carries codes"))
}
