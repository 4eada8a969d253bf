//! Reads `SONGDA_*` settings, collecting every fault and every setting's description on the way, so that a wrong
//! configuration is reported once and whole, and `docs/settings.md` is written from what is really read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::kernel::private::Private;

/// One setting, as documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `SONGDA_…`
    pub name: &'static str,
    /// What it is without being set; `None` if it must be set.
    pub default: Option<String>,
    /// Meaning and unit, one sentence.
    pub meaning: &'static str,
}

/// A reader of settings.
#[derive(Default)]
pub struct Env {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
    described: Vec<Described>,
}

impl Env {
    /// The process's environment.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(std::env::vars().filter(|(name, _)| name.starts_with("SONGDA_")))
    }

    /// These values.
    pub fn of<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, ..Self::default() }
    }

    /// A setting of any type that reads itself from text, with a default in its text form.
    pub fn or<T: FromStr>(&mut self, name: &'static str, default: &str, meaning: &'static str) -> Option<T> {
        self.describe(Described { name, default: Some(default.to_owned()), meaning });
        let text = self.set(name).unwrap_or_else(|| default.to_owned());
        self.parse(name, &text)
    }

    /// A setting that must be there.
    pub fn required<T: FromStr>(&mut self, name: &'static str, meaning: &'static str) -> Option<T> {
        self.describe(Described { name, default: None, meaning });
        let Some(text) = self.set(name) else {
            self.fault(format!("{name} is not set: {meaning}"));
            return None;
        };
        self.parse(name, &text)
    }

    /// A setting that may be left out.
    pub fn optional<T: FromStr>(&mut self, name: &'static str, meaning: &'static str) -> Option<T> {
        self.describe(Described { name, default: Some(String::new()), meaning });
        let text = self.set(name)?;
        self.parse(name, &text)
    }

    /// A duration, written with its unit: `250ms`, `15s`, `10m`, `2h`, `3d`.
    pub fn duration(&mut self, name: &'static str, default: &str, meaning: &'static str) -> Option<Duration> {
        self.or::<Span>(name, default, meaning).map(|span| span.0)
    }

    /// A secret: from the variable, or from the file that `<name>_FILE` names (its last line break is dropped).
    pub fn secret(&mut self, name: &'static str, meaning: &'static str) -> Option<Private<String>> {
        self.describe(Described { name, default: None, meaning });
        if !self.has_secret(name) {
            self.fault(format!("neither {name} nor {name}_FILE is set: {meaning}"));
        }
        self.read_secret(name)
    }

    /// A secret that may be left out.
    pub fn optional_secret(&mut self, name: &'static str, meaning: &'static str) -> Option<Private<String>> {
        self.describe(Described { name, default: Some(String::new()), meaning });
        self.read_secret(name)
    }

    /// Adds a fault that concerns several settings together. One that is known already is not repeated: two gateways
    /// may share a setting.
    pub fn fault(&mut self, fault: impl Into<String>) {
        let fault = fault.into();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn describe(&mut self, described: Described) {
        if !self.described.contains(&described) {
            self.described.push(described);
        }
    }

    /// All faults so far.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// All settings that were asked for so far.
    #[must_use]
    pub fn described(&self) -> &[Described] {
        &self.described
    }

    fn set(&self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn has_secret(&self, name: &str) -> bool {
        self.set(name).or_else(|| self.set(&format!("{name}_FILE"))).is_some()
    }

    fn read_secret(&mut self, name: &str) -> Option<Private<String>> {
        if let Some(text) = self.set(name) {
            return Some(Private::new(text));
        }
        let path = self.set(&format!("{name}_FILE"))?;
        match std::fs::read_to_string(PathBuf::from(&path)) {
            Ok(text) => Some(Private::new(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => {
                self.fault(format!("{name}_FILE names {path}, which cannot be read: {error}"));
                None
            }
        }
    }

    fn parse<T: FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            // The value itself is not repeated: it may be a secret in the wrong place.
            let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or("value");
            self.fault(format!("{name} is set to something that is not a valid {kind}"));
        }
        value
    }
}

/// A duration with its unit.
struct Span(Duration);

impl FromStr for Span {
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
        let read = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("2h"), Ok(7_200_000));
        assert!(read("15").is_err() && read("s").is_err() && read("-1s").is_err());
    }
}
