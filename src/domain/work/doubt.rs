//! Decides what to do about a message in doubt: the message was sent to its gateway, and the response was lost. A
//! gateway that does not support our idempotency key cannot tell if it accepted the message. But WeChat later sends a
//! receipt for each message that it accepted (`subscribe_msg_sent_event`), and its refusal of a second copy is
//! evidence, too.

use std::time::Duration;

use crate::domain::kernel::words::words;

words! {
    /// What a receipt says about a message that the gateway accepted.
    pub enum Fate {
        /// The message reached the phone.
        Arrived = "arrived",
        /// The person refuses such messages on this channel.
        Refused = "refused",
        /// The message did not arrive, for another reason.
        Lost = "lost",
    }
}

/// Counts the gateway's receipts that possibly belong to a message in doubt: receipts with the same recipient and
/// template that came after the message was sent, and that do not contain the gateway's id of another message, as far
/// as we know those ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipts {
    pub arrived: i64,
    pub refused: i64,
    pub lost: i64,
    /// How many of these receipts possibly belong to other messages to the same person that are in doubt or being sent.
    pub others: i64,
}

impl Receipts {
    /// Returns the fate of the message; `None` if all receipts possibly belong to other messages.
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

/// All that is known about a message in doubt: it was sent to the gateway, and the response was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// How many copies the gateway may have accepted.
    pub copies: u32,
    /// The time since the last copy was sent to the gateway.
    pub handed_over: Duration,
    /// The time since the gateway first refused a copy for lack of consent; `None` if it refused no copy. An earlier
    /// copy may have used up the consent.
    pub refused: Option<Duration>,
    /// True if the person could receive a further copy although an earlier one has arrived. This is so if the person
    /// gave a lasting consent or several one-time consents. With a single one-time consent, a second copy is refused.
    pub spare: bool,
    /// What happened to the message; `None` unless receipts prove it.
    pub fate: Option<Fate>,
}

/// How long the worker waits for evidence about a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// How long to wait for a receipt after a copy was sent to the gateway. The worker waits before it sends a further
    /// copy, if the person could receive both copies. It also waits after the last copy, before another channel takes
    /// over.
    pub receipt: Duration,
    /// How long to wait for a receipt after the gateway refused a copy. The refusal suggests that an earlier copy
    /// arrived. If no receipt comes in this time, another channel takes over.
    pub confirmation: Duration,
}

/// The next step for a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Do nothing more: the fate of the message is known.
    Done(Fate),
    /// Wait this long for a receipt, then check again.
    Wait(Duration),
    /// Send another copy.
    Repeat,
    /// Push the notification over another channel: two messages are better than none. `refused` is true if the gateway
    /// refused a copy for lack of consent.
    GiveUp { refused: bool },
}

/// The maximum number of copies of a message on one channel. After them another channel takes over.
const COPIES_AT_MOST: u32 = 4;

impl Doubt {
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
            // A single consent allows a single message, so the person sees only one copy.
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
    fn with_one_consent_a_copy_is_sent_at_once_and_with_several_it_waits_for_a_receipt() {
        let seconds = Duration::from_secs;
        assert_eq!(doubt(1, 5, None, false).step(WAITS), Step::Repeat);
        assert_eq!(doubt(1, 5, None, true).step(WAITS), Step::Wait(seconds(115)));
        assert_eq!(doubt(1, 120, None, true).step(WAITS), Step::Repeat);
        assert_eq!(doubt(4, 5, None, false).step(WAITS), Step::Wait(seconds(115)));
        assert_eq!(doubt(4, 120, None, true).step(WAITS), Step::GiveUp { refused: false });
    }

    #[test]
    fn a_refusal_counts_as_an_arrival_only_if_a_receipt_confirms_it() {
        assert_eq!(doubt(1, 8, Some(3), false).step(WAITS), Step::Wait(Duration::from_secs(597)));
        assert_eq!(doubt(1, 605, Some(600), false).step(WAITS), Step::GiveUp { refused: true });
        let confirmed = Doubt { fate: Some(Fate::Arrived), ..doubt(1, 605, Some(600), false) };
        assert_eq!(confirmed.step(WAITS), Step::Done(Fate::Arrived));
    }

    proptest! {
        /// Several messages to one person. Each has a number of copies that the gateway accepted, and a number of
        /// copies that arrived. A message may count as arrived only if one of its own copies arrived.
        #[test]
        fn no_message_counts_as_arrived_because_of_the_receipts_of_another(
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
        fn every_doubt_is_settled_in_the_end(copies in 1_u32..10, refused: bool, spare: bool) {
            let long = 3_600;
            let step = doubt(copies, long, refused.then_some(long), spare).step(WAITS);
            prop_assert!(!matches!(step, Step::Wait(_)), "{step:?}");
        }
    }
}
