//! Checks the settings by reading them as a serving process does.

use songda::config::Config;
use songda::env::Env;
use songda::env::risk::{Risks, RiskySetting};
use songda::registry::Registry;

use super::finding::Finding;

pub const GROUP: &str = "settings";

/// Returns one finding for each fault of the settings and for each risky setting. If there are none, returns one finding
/// that says so. Faults of the keys folder are left out, because the check of the keys reports them.
pub fn look() -> Vec<Finding> {
    let mut env = Env::of_process();
    let faults = Config::read(&mut env, &Registry::shipped()).err().unwrap_or_default();
    let Risks { accepted, refused } = env.risks();
    // A deployed program reports a refused risk as a fault of its settings. Here it is a finding of its own.
    let is_risk = |fault: &String| refused.iter().any(|risky| risky.to_string() == *fault);
    let faults = faults.into_iter().filter(|fault| !fault.starts_with("SONGDA_KEYS:") && !is_risk(fault));
    let advice = "correct the setting; `songda settings` lists all settings";
    let faults = faults.map(|fault| Finding::fault(GROUP, "settings", fault, advice));
    let mut findings: Vec<Finding> =
        faults.chain(refused.iter().map(refused_risk)).chain(accepted.iter().map(accepted_risk)).collect();
    if findings.is_empty() {
        findings.push(Finding::ok(GROUP, "settings", "all required settings are present, valid and safe"));
    }
    findings
}

fn refused_risk(RiskySetting { risk, what }: &RiskySetting) -> Finding {
    let advice = format!("correct it; a deployed program starts with it only if SONGDA_ALLOW names {risk}");
    Finding::fault(GROUP, risk.as_str(), what, advice)
}

fn accepted_risk(RiskySetting { risk, what }: &RiskySetting) -> Finding {
    let advice = format!("you accepted this risk; correct it, and take {risk} out of SONGDA_ALLOW");
    Finding::warning(GROUP, risk.as_str(), what, advice)
}
