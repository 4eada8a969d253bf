//! The consent ledger: an estimate of how many messages of a template a person still wants.
//!
//! WeChat sends one message per accept of a one-time template (一次性订阅), and any number after one accept of a
//! long-term template (长期订阅). Clients report what people tapped; they may err or lie, so the ledger only decides
//! whether a try is worth while. The gateway's answer is the truth.

use std::str::FromStr;

use super::clock::Instant;
use super::notification::{ChannelCode, Consent, Event};

/// What a person answered when they were asked for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentAnswer {
    /// Yes.
    Accept,
    /// No.
    Reject,
    /// The platform has banned the template: nobody was asked, and nothing will be sent.
    Ban,
    /// The platform hid this template behind another of the same title: nobody was asked.
    Filter,
}

impl FromStr for ConsentAnswer {
    type Err = UnknownAnswer;

    fn from_str(text: &str) -> Result<Self, UnknownAnswer> {
        match text {
            // The other three are what `getSetting` calls an accept with a preference for how it rings.
            "accept" | "acceptWithAudio" | "acceptWithAlert" | "acceptWithForcePush" => Ok(Self::Accept),
            "reject" => Ok(Self::Reject),
            "ban" => Ok(Self::Ban),
            "filter" => Ok(Self::Filter),
            _ => Err(UnknownAnswer),
        }
    }
}

/// A text is no answer that a platform gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not accept, reject, ban or filter")]
pub struct UnknownAnswer;

/// A template that needs consent, as this installation is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentTemplate {
    /// On which channel.
    pub channel: ChannelCode,
    /// The template's id at the gateway.
    pub template: String,
    /// What it tells about.
    pub events: Vec<Event>,
    /// What one accept is worth.
    pub kind: Consent,
}

/// One person's consent to one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsentBalance {
    /// How many messages are left.
    pub balance: u32,
    /// Whether messages are wanted until further notice.
    pub lasting: bool,
    /// When it was last refused.
    pub refused_at: Option<Instant>,
}

impl ConsentBalance {
    /// The balance after an answer.
    #[must_use]
    pub const fn after(self, answer: ConsentAnswer, kind: Consent, now: Instant) -> Self {
        match (answer, kind) {
            (ConsentAnswer::Accept, Consent::OneTime) => {
                Self { balance: self.balance.saturating_add(1), lasting: self.lasting, refused_at: None }
            }
            (ConsentAnswer::Accept, Consent::LongTerm) => Self { balance: 0, lasting: true, refused_at: None },
            (ConsentAnswer::Reject | ConsentAnswer::Ban, _) => {
                Self { balance: 0, lasting: false, refused_at: Some(now) }
            }
            (ConsentAnswer::Accept, Consent::NotNeeded) | (ConsentAnswer::Filter, _) => self,
        }
    }

    /// Whether a client should ask again at the next tap: until there is one message for every event.
    #[must_use]
    pub fn should_ask(self, template: &ConsentTemplate) -> bool {
        match template.kind {
            Consent::NotNeeded => false,
            Consent::OneTime => usize::try_from(self.balance).unwrap_or(usize::MAX) < template.events.len(),
            Consent::LongTerm => !self.lasting,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Instant {
        "2026-03-02T01:00:00Z".parse().unwrap()
    }

    fn template(kind: Consent) -> ConsentTemplate {
        let events = vec![Event::Granted, Event::Denied];
        ConsentTemplate { channel: ChannelCode::new("wechat"), template: "T".to_owned(), events, kind }
    }

    #[test]
    fn each_accept_of_a_one_time_template_buys_one_message() {
        let once = ConsentBalance::default().after(ConsentAnswer::Accept, Consent::OneTime, now());
        assert_eq!((once.balance, once.should_ask(&template(Consent::OneTime))), (1, true));
        let twice = once.after(ConsentAnswer::Accept, Consent::OneTime, now());
        assert_eq!((twice.balance, twice.should_ask(&template(Consent::OneTime))), (2, false));
        assert_eq!(twice.after(ConsentAnswer::Filter, Consent::OneTime, now()), twice);
        let refused = twice.after(ConsentAnswer::Reject, Consent::OneTime, now());
        assert_eq!((refused.balance, refused.refused_at), (0, Some(now())));
    }

    #[test]
    fn one_accept_of_a_long_term_template_lasts() {
        let lasting = ConsentBalance::default().after(ConsentAnswer::Accept, Consent::LongTerm, now());
        assert!(lasting.lasting && !lasting.should_ask(&template(Consent::LongTerm)));
        assert!(!lasting.after(ConsentAnswer::Ban, Consent::LongTerm, now()).lasting);
    }

    proptest! {
        #[test]
        fn the_balance_is_the_accepts_since_the_last_refusal(answers in proptest::collection::vec(0_u8..3, 0..40)) {
            let answers = answers.into_iter().map(|n| match n {
                0 => ConsentAnswer::Accept,
                1 => ConsentAnswer::Reject,
                _ => ConsentAnswer::Filter,
            });
            let (mut ledger, mut expected) = (ConsentBalance::default(), 0);
            for answer in answers {
                ledger = ledger.after(answer, Consent::OneTime, now());
                match answer {
                    ConsentAnswer::Accept => expected += 1,
                    ConsentAnswer::Filter => {}
                    _ => expected = 0,
                }
            }
            prop_assert_eq!(ledger.balance, expected);
        }
    }
}
