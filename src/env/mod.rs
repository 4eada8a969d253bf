//! Reads `SONGDA_*` settings. It collects all faults, so that one start reports all of them. It also collects all
//! descriptions, so that `docs/settings.md` lists exactly the settings that are read.

pub mod risk;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use self::risk::{Risk, Risks, RiskySetting};
use crate::domain::kernel::private::Private;

/// The documentation of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    pub name: &'static str,
    /// The default; `None` if the setting is required, empty if it is optional.
    pub default: Option<String>,
    /// The meaning and the unit, in one sentence.
    pub meaning: &'static str,
}

#[derive(Default)]
pub struct Env {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
    described: Vec<SettingDoc>,
    risky: Vec<RiskySetting>,
    deployed: bool,
}

impl Env {
    pub fn of_process() -> Self {
        Self::of(std::env::vars().filter(|(name, _)| name.starts_with("SONGDA_")))
    }

    pub fn of<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, deployed: cfg!(not(feature = "development")), ..Self::default() }
    }

    /// The same settings, read as a deployed program reads them.
    #[must_use]
    pub fn deployed(self) -> Self {
        Self { deployed: true, ..self }
    }

    /// True if the settings are those of a deployed program, which is built without the feature `development`.
    pub const fn is_deployed(&self) -> bool {
        self.deployed
    }

    /// Reads a setting with a default, of any type that parses from text.
    pub fn or<T: FromStr>(&mut self, name: &'static str, default: &str, meaning: &'static str) -> Option<T> {
        self.describe(SettingDoc { name, default: Some(default.to_owned()), meaning });
        let text = self.set(name).unwrap_or_else(|| default.to_owned());
        self.parse(name, &text)
    }

    pub fn required<T: FromStr>(&mut self, name: &'static str, meaning: &'static str) -> Option<T> {
        self.describe(SettingDoc { name, default: None, meaning });
        let Some(text) = self.set(name) else {
            self.fault(format!("{name} is not set: {meaning}"));
            return None;
        };
        self.parse(name, &text)
    }

    pub fn optional<T: FromStr>(&mut self, name: &'static str, meaning: &'static str) -> Option<T> {
        self.describe(SettingDoc { name, default: Some(String::new()), meaning });
        let text = self.set(name)?;
        self.parse(name, &text)
    }

    /// Reads a duration with its unit: `250ms`, `15s`, `10m`, `2h`, `3d`.
    pub fn duration(&mut self, name: &'static str, default: &str, meaning: &'static str) -> Option<Duration> {
        self.or::<WithUnit>(name, default, meaning).map(|parsed| parsed.0)
    }

    /// Reads a required secret from the variable `name`, or from the file that the variable `<name>_FILE` names. Line
    /// breaks at the end of the file are removed.
    pub fn secret(&mut self, name: &'static str, meaning: &'static str) -> Option<Private<String>> {
        self.describe(SettingDoc { name, default: None, meaning });
        if !self.has_secret(name) {
            self.fault(format!("neither {name} nor {name}_FILE is set: {meaning}"));
        }
        self.read_secret(name)
    }

    pub fn optional_secret(&mut self, name: &'static str, meaning: &'static str) -> Option<Private<String>> {
        self.describe(SettingDoc { name, default: Some(String::new()), meaning });
        self.read_secret(name)
    }

    /// Adds a fault, unless it is known already: two gateways can read the same setting.
    pub fn fault(&mut self, fault: impl Into<String>) {
        let fault = fault.into();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Notes a setting that brings a risk. `what` names the setting.
    pub fn risk(&mut self, risk: Risk, what: impl Into<String>) {
        self.note(RiskySetting { risk, what: what.into() });
    }

    fn note(&mut self, risky: RiskySetting) {
        if !self.risky.contains(&risky) {
            self.risky.push(risky);
        }
    }

    /// Sorts the risky settings that were read so far by the operator's decision.
    pub fn risks(&mut self) -> Risks {
        let meaning = "risks that you accept, by their words and separated by commas: sandbox-secrets, short-secrets, \
                       http-gateways, plain-postgres, plain-redis, any-origin, no-second-factor; a deployed program starts with no other";
        let text: String = self.or("SONGDA_ALLOW", "", meaning).unwrap_or_default();
        let mut allowed = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match Risk::from_stored(word) {
                Some(risk) => allowed.push(risk),
                None => self.fault("SONGDA_ALLOW names something that is not a known risk"),
            }
        }
        let (accepted, refused) = self.risky.iter().cloned().partition(|risky| allowed.contains(&risky.risk));
        Risks { accepted, refused }
    }

    fn describe(&mut self, described: SettingDoc) {
        if !self.described.contains(&described) {
            self.described.push(described);
        }
    }

    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The settings that were read so far.
    pub fn described(&self) -> &[SettingDoc] {
        &self.described
    }

    fn set(&self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn has_secret(&self, name: &str) -> bool {
        self.set(name).or_else(|| self.set(&format!("{name}_FILE"))).is_some()
    }

    fn read_secret(&mut self, name: &str) -> Option<Private<String>> {
        let text = self.set(name).or_else(|| self.read_secret_file(name))?;
        if let Some(risky) = risk::of_secret(name, &text) {
            self.note(risky);
        }
        Some(Private::new(text))
    }

    fn read_secret_file(&mut self, name: &str) -> Option<String> {
        let path = self.set(&format!("{name}_FILE"))?;
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| self.fault(format!("{name}_FILE names {path}, which cannot be read: {error}")));
        Some(text.ok()?.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn parse<T: FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            // The message does not repeat the value, because the operator may have put a secret into the wrong setting.
            let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or("value");
            self.fault(format!("{name} is set to something that is not a valid {kind}"));
        }
        value
    }
}

struct WithUnit(Duration);

impl FromStr for WithUnit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(())?;
        let count: u64 = text[..digits].parse().map_err(|_| ())?;
        let millis = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(()),
        };
        count.checked_mul(millis).map(|millis| Self(Duration::from_millis(millis))).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_collected() {
        let mut env = Env::of([("SONGDA_A", "x"), ("SONGDA_B", "12s")]);
        assert_eq!(env.or::<u16>("SONGDA_A", "1", "a"), None);
        assert_eq!(env.duration("SONGDA_B", "1s", "b"), Some(Duration::from_secs(12)));
        assert_eq!(env.required::<u16>("SONGDA_C", "c"), None);
        assert!(env.secret("SONGDA_D", "d").is_none());
        assert_eq!(env.faults().len(), 3, "{:?}", env.faults());
        assert!(!env.faults().iter().any(|fault| fault.contains('x')), "a value is never repeated");
        assert_eq!(env.described().len(), 4);
    }

    #[test]
    fn durations_need_their_unit() {
        let read = |text: &str| text.parse::<WithUnit>().map(|parsed| parsed.0.as_millis());
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("2h"), Ok(7_200_000));
        assert!(read("15").is_err() && read("s").is_err() && read("-1s").is_err());
    }

    #[test]
    fn a_risk_is_accepted_by_its_word_alone() {
        let mut env = Env::of([
            ("SONGDA_A", "short"),
            ("SONGDA_B", "a-SANDBOX-secret-of-some-length"),
            ("SONGDA_C", "0123456789abcdef"),
            ("SONGDA_D", "postgres://sandbox"),
            ("SONGDA_ALLOW", "short-secrets, any-origin"),
        ]);
        for name in ["SONGDA_A", "SONGDA_B", "SONGDA_C", "SONGDA_D"] {
            env.secret(name, "a secret");
        }
        let Risks { accepted, refused } = env.risks();
        assert!(matches!(&accepted[..], [one] if one.risk == Risk::ShortSecrets && one.what.contains("SONGDA_A")));
        assert!(matches!(&refused[..], [one] if one.risk == Risk::SandboxSecrets && one.what.contains("SONGDA_B")));
        assert!(env.faults().is_empty(), "{:?}", env.faults());
        let mut env = Env::of([("SONGDA_ALLOW", "everything")]);
        env.risks();
        assert_eq!(env.faults().len(), 1, "{:?}", env.faults());
    }

    #[test]
    fn the_documented_words_are_the_known_ones() {
        let mut env = Env::default();
        env.risks();
        let meaning = env.described()[0].meaning;
        for risk in Risk::ALL {
            assert!(meaning.contains(risk.as_str()), "{risk}");
        }
    }
}
