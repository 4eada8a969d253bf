//! The consents that people gave in the dialog of `wx.requestSubscribeMessage`.

use serde::Deserialize;

use crate::sandbox::shards::Shards;

/// A person's answer in the consent dialog, or a later change in the person's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tap {
    /// Allows one message of a one-time template, or all messages of a long-term one.
    Accept,
    Reject,
    /// Switches the template's messages off in the settings, and ends all earlier consents to the template.
    SwitchOff,
}

#[derive(Clone, Copy, Default)]
struct Grant {
    messages: u32,
    lasting: bool,
}

#[derive(Default)]
pub(super) struct GivenConsents(Shards<Grant>);

impl GivenConsents {
    pub(super) fn tap(&self, openid: &str, template: &str, tap: Tap, lasting: bool) {
        let key = key(openid, template);
        self.0.with(&key, |shard| {
            let grant = shard.entry(key.clone()).or_default();
            match tap {
                Tap::Accept if lasting => grant.lasting = true,
                Tap::Accept => grant.messages += 1,
                Tap::Reject => {}
                Tap::SwitchOff => *grant = Grant::default(),
            }
        });
    }

    /// Uses up a one-time consent, or uses a long-term consent, which stays. Returns false if there is no consent.
    pub(super) fn take(&self, openid: &str, template: &str) -> bool {
        let key = key(openid, template);
        self.0.with(&key, |shard| match shard.get_mut(&key) {
            Some(Grant { lasting: true, .. }) => true,
            Some(Grant { messages, .. }) if *messages > 0 => {
                *messages -= 1;
                true
            }
            _ => false,
        })
    }

    pub(super) fn clear(&self) {
        self.0.clear();
    }
}

fn key(openid: &str, template: &str) -> String {
    format!("{openid} {template}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_consent_is_one_message() {
        let consents = GivenConsents::default();
        assert!(!consents.take("o", "t"));
        consents.tap("o", "t", Tap::Accept, false);
        consents.tap("o", "t", Tap::Accept, false);
        consents.tap("o", "t", Tap::Reject, false);
        assert!(!consents.take("o", "other"));
        assert!(consents.take("o", "t") && consents.take("o", "t") && !consents.take("o", "t"));
    }

    #[test]
    fn a_lasting_consent_lasts_until_it_is_switched_off() {
        let consents = GivenConsents::default();
        consents.tap("o", "t", Tap::Accept, true);
        assert!((0..5).all(|_| consents.take("o", "t")));
        consents.tap("o", "t", Tap::SwitchOff, true);
        assert!(!consents.take("o", "t"));
    }
}
