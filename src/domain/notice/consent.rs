//! The consent ledger: an estimate of how many messages of a template a person still accepts. It only decides if
//! sending a message is worth a try. Only the gateway knows the true consent, and shows it when it accepts or refuses a
//! message (微信《小程序订阅消息》).
//!
//! WeChat sends one message per accept of a one-time template (一次性订阅), and any number after one accept of a
//! long-term template (长期订阅). Two sides report an accept: the client, which may be wrong or lie, and the platform,
//! whose callbacks may come late, twice or never. The ledger counts the accepts of the side that reported more of them.
//! So an accept that both sides reported counts once, and an accept that one side did not report still counts.

use std::str::FromStr;

use crate::domain::kernel::clock::Instant;
use crate::domain::notice::notification::{ChannelCode, Consent, Event};

/// A person's answer to a request for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentAnswer {
    Accept,
    Reject,
    /// The platform has banned the template. It did not ask the person, and sends no messages of this template.
    Ban,
    /// The platform hid this template behind another with the same title, and did not ask the person.
    Filter,
}

impl FromStr for ConsentAnswer {
    type Err = UnknownAnswer;

    fn from_str(text: &str) -> Result<Self, UnknownAnswer> {
        match text {
            // The last three come from WeChat's `getSetting`. They mean "accept", and add how a message alerts the
            // person.
            "accept" | "acceptWithAudio" | "acceptWithAlert" | "acceptWithForcePush" => Ok(Self::Accept),
            "reject" => Ok(Self::Reject),
            "ban" => Ok(Self::Ban),
            "filter" => Ok(Self::Filter),
            _ => Err(UnknownAnswer),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not accept, reject, ban or filter")]
pub struct UnknownAnswer;

/// A template that needs the person's consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentTemplate {
    pub channel: ChannelCode,
    /// The template's id at the gateway.
    pub template: String,
    /// The events that messages of this template report.
    pub events: Vec<Event>,
    pub kind: Consent,
}

/// One person's consent to one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsentBalance {
    /// The number of one-time consents that are left: each allows one message.
    pub balance: u32,
    /// True if the person gave a long-term consent: messages are allowed until the person withdraws it.
    pub lasting: bool,
    /// The time of the last refusal.
    pub refused_at: Option<Instant>,
    /// The number of accepts that only one side has reported so far: positive if the client reported them, negative if
    /// the platform did.
    pub unmatched: i32,
    /// The time of the latest accept or refusal that the platform reported. The platform may report each of them
    /// several times. So an accept from this time or earlier is ignored, and so is a refusal from an earlier time. A
    /// refusal from the same second is not ignored: it outweighs an accept.
    pub heard_at: Option<Instant>,
}

/// The change that an accept makes to [`ConsentBalance::unmatched`], by the side that reports it.
const CLIENT: i32 = 1;
const PLATFORM: i32 = -1;

impl ConsentBalance {
    /// Returns the balance after an answer that a client reported.
    #[must_use]
    pub const fn after(self, answer: ConsentAnswer, kind: Consent, now: Instant) -> Self {
        match answer {
            ConsentAnswer::Accept => self.granted(kind, CLIENT),
            ConsentAnswer::Reject | ConsentAnswer::Ban => self.refused(now),
            ConsentAnswer::Filter => self,
        }
    }

    /// Returns the balance after an accept or a refusal that the platform reported. `at` is when the person gave it.
    #[must_use]
    pub fn after_act(self, accepted: bool, kind: Consent, at: Instant) -> Self {
        let told_before = |heard| if accepted { at <= heard } else { at < heard };
        if self.heard_at.is_some_and(told_before) {
            return self;
        }
        let heard = Self { heard_at: Some(at), ..self };
        match accepted {
            false => heard.refused(at),
            // The report came late: the person has refused since.
            true if self.refused_at.is_some_and(|refused| at < refused) => heard,
            true => heard.granted(kind, PLATFORM),
        }
    }

    const fn granted(self, kind: Consent, teller: i32) -> Self {
        match kind {
            Consent::OneTime => {
                let already_counted = self.unmatched.signum() == -teller;
                let balance = self.balance.saturating_add(if already_counted { 0 } else { 1 });
                Self { balance, unmatched: self.unmatched.saturating_add(teller), refused_at: None, ..self }
            }
            Consent::LongTerm => Self { balance: 0, unmatched: 0, lasting: true, refused_at: None, ..self },
            Consent::NotNeeded => self,
        }
    }

    const fn refused(self, at: Instant) -> Self {
        Self { balance: 0, unmatched: 0, lasting: false, refused_at: Some(at), ..self }
    }

    /// True if a client should ask the person for consent at the next tap on a button. One-time consents are collected
    /// until there is one for every event of the template.
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

    fn second(at: i64) -> Instant {
        now() + chrono::TimeDelta::seconds(at)
    }

    #[test]
    fn an_accept_reported_by_both_sides_counts_once_in_either_order() {
        let (none, once) = (ConsentBalance::default(), Consent::OneTime);
        let reported = none.after(ConsentAnswer::Accept, once, second(1));
        let heard = none.after_act(true, once, second(0));
        assert_eq!((reported.balance, heard.balance), (1, 1));
        assert_eq!(reported.after_act(true, once, second(0)), heard.after(ConsentAnswer::Accept, once, second(1)));
        assert_eq!(reported.after_act(true, once, second(0)).balance, 1);
        assert_eq!(heard.after_act(true, once, second(0)), heard, "reported twice");
        assert_eq!(heard.after_act(true, once, second(5)).balance, 2, "another tap");
    }

    #[test]
    fn a_refusal_cancels_earlier_accepts_even_if_they_are_reported_later() {
        let (none, once) = (ConsentBalance::default(), Consent::OneTime);
        let refused = none.after(ConsentAnswer::Reject, once, second(10));
        assert_eq!(refused.after_act(true, once, second(9)).balance, 0, "an earlier accept, reported late");
        assert_eq!(refused.after_act(true, once, second(11)).balance, 1);
        let accepted = none.after_act(true, once, second(10));
        assert_eq!(accepted.after_act(false, once, second(9)).balance, 1, "an earlier refusal, reported late");
        assert_eq!(accepted.after_act(false, once, second(10)).balance, 0, "in the same second, the refusal counts");
        let lasting = none.after_act(true, Consent::LongTerm, second(1));
        assert!(lasting.lasting && !lasting.after_act(false, Consent::LongTerm, second(2)).lasting);
    }

    proptest! {
        #[test]
        fn the_ledger_counts_the_accepts_of_the_side_that_reported_more(
            told in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..40),
        ) {
            let (mut ledger, mut clients, mut platform) = (ConsentBalance::default(), 0_u32, 0_u32);
            for (at, (by_client, again)) in (0..).zip(told) {
                if by_client {
                    ledger = ledger.after(ConsentAnswer::Accept, Consent::OneTime, second(at));
                    clients += 1;
                } else {
                    for _ in 0..=u8::from(again) {
                        ledger = ledger.after_act(true, Consent::OneTime, second(at));
                    }
                    platform += 1;
                }
            }
            prop_assert_eq!(ledger.balance, clients.max(platform));
        }

        #[test]
        fn the_balance_counts_the_accepts_since_the_last_refusal(answers in proptest::collection::vec(0_u8..3, 0..40)) {
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
