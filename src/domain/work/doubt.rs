//! A message in doubt: it was handed to its channel, and nobody knows whether it was taken. Where the gateway knows no key
//! of ours, nothing can be asked; but it tells later of each message that it had taken (WeChat's
//! `subscribe_msg_sent_event`), and its refusals tell something, too.

use std::time::Duration;

/// What a gateway told, later, of a message that it had taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It reached the phone.
    Arrived,
    /// The person does not want it there.
    Refused,
    /// It did not arrive, for another reason.
    Lost,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Arrived, Self::Refused, Self::Lost];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Refused => "refused",
            Self::Lost => "lost",
        }
    }
}

/// Receipts that may be of a message in doubt: those for its recipient and template, since it was handed over, that belong
/// to no message whose id we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipts {
    /// How many tell of an arrival.
    pub arrived: i64,
    /// How many tell of a refusal.
    pub refused: i64,
    /// How many tell of another failure.
    pub lost: i64,
    /// How many of all these could be of other messages to the same person, which are in doubt or under way themselves.
    pub others: i64,
}

impl Receipts {
    /// What became of the message, where that is certain: there are more receipts than the other messages account for.
    #[must_use]
    pub const fn fate(self) -> Option<Fate> {
        if self.arrived > self.others {
            Some(Fate::Arrived)
        } else if self.arrived == 0 && self.refused + self.lost > self.others {
            Some(if self.refused > 0 { Fate::Refused } else { Fate::Lost })
        } else {
            None
        }
    }
}

/// All that is known of a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// How many copies may have been taken.
    pub copies: u32,
    /// How long ago the last of them was handed over.
    pub handed_over: Duration,
    /// For how long the gateway says that no consent is left. An earlier copy may have used it up.
    pub refused: Option<Duration>,
    /// Whether the person could see a further copy beside an earlier one: their consent lasts, or they gave several.
    pub spare: bool,
    /// What became of it, where receipts prove it.
    pub fate: Option<Fate>,
}

/// For how long proofs are awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// A receipt, before a copy is sent that could be seen beside another one.
    pub receipt: Duration,
    /// A receipt, after a refusal that suggests that an earlier copy arrived.
    pub confirmation: Duration,
}

/// What to do about a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing: this became of it.
    Done(Fate),
    /// Wait this long for a receipt, and look again.
    Wait(Duration),
    /// Send another copy.
    Repeat,
    /// Let another channel tell: the person is rather told twice than not at all.
    GiveUp {
        /// Whether the gateway says that there is no consent.
        refused: bool,
    },
}

/// How many copies may have been taken before another channel takes over.
const COPIES_AT_MOST: u32 = 4;

impl Doubt {
    /// What to do now.
    #[must_use]
    pub fn step(&self, waits: Waits) -> Step {
        if let Some(fate) = self.fate {
            return Step::Done(fate);
        }
        let or_wait = |step, since: Duration, wait: Duration| match wait.checked_sub(since) {
            Some(rest) if !rest.is_zero() => Step::Wait(rest),
            _ => step,
        };
        match self.refused {
            Some(since) => or_wait(Step::GiveUp { refused: true }, since, waits.confirmation),
            None if self.copies >= COPIES_AT_MOST => {
                or_wait(Step::GiveUp { refused: false }, self.handed_over, waits.receipt)
            }
            None if self.spare => or_wait(Step::Repeat, self.handed_over, waits.receipt),
            // One consent pays for one message: whatever became of the copies before, one at the most is shown.
            None => Step::Repeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WAITS: Waits = Waits { receipt: Duration::from_secs(120), confirmation: Duration::from_secs(600) };

    fn doubt(copies: u32, handed_over: u64, refused: Option<u64>, spare: bool) -> Doubt {
        let handed_over = Duration::from_secs(handed_over);
        Doubt { copies, handed_over, refused: refused.map(Duration::from_secs), spare, fate: None }
    }

    #[test]
    fn one_consent_is_asked_for_again_at_once_and_several_wait_for_a_receipt() {
        let seconds = Duration::from_secs;
        assert_eq!(doubt(1, 5, None, false).step(WAITS), Step::Repeat);
        assert_eq!(doubt(1, 5, None, true).step(WAITS), Step::Wait(seconds(115)));
        assert_eq!(doubt(1, 120, None, true).step(WAITS), Step::Repeat);
        assert_eq!(doubt(4, 5, None, false).step(WAITS), Step::Wait(seconds(115)));
        assert_eq!(doubt(4, 120, None, true).step(WAITS), Step::GiveUp { refused: false });
    }

    #[test]
    fn a_refusal_is_no_arrival_until_a_receipt_says_so() {
        assert_eq!(doubt(1, 8, Some(3), false).step(WAITS), Step::Wait(Duration::from_secs(597)));
        assert_eq!(doubt(1, 605, Some(600), false).step(WAITS), Step::GiveUp { refused: true });
        let confirmed = Doubt { fate: Some(Fate::Arrived), ..doubt(1, 605, Some(600), false) };
        assert_eq!(confirmed.step(WAITS), Step::Done(Fate::Arrived));
    }

    proptest! {
        /// Messages to one person, of each of which so many copies were taken and told of: whoever is said to have
        /// arrived did arrive.
        #[test]
        fn no_message_is_taken_for_arrived_because_of_another(
            messages in proptest::collection::vec((1_i64..4, 0_i64..4), 1..6),
        ) {
            let messages: Vec<(i64, i64)> = messages.into_iter().map(|(sent, told)| (sent, told.min(sent))).collect();
            let (all, arrived) = messages.iter().fold((0, 0), |(all, told), one| (all + one.0, told + one.1));
            for (sent, told) in messages {
                let receipts = Receipts { arrived, others: all - sent, ..Receipts::default() };
                prop_assert!(receipts.fate() != Some(Fate::Arrived) || told > 0);
            }
        }

        #[test]
        fn a_doubt_comes_to_an_end(copies in 1_u32..10, refused: bool, spare: bool) {
            let long = 3_600;
            let step = doubt(copies, long, refused.then_some(long), spare).step(WAITS);
            prop_assert!(!matches!(step, Step::Wait(_)), "{step:?}");
        }
    }
}
