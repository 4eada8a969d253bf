//! How long the worker waits to learn what became of an order or a message of which nobody told.

use std::time::Duration;

use crate::domain::work::doubt::Waits;
use crate::env::Env;

/// Waits after attempts of unknown outcome.
#[derive(Debug, Clone)]
pub struct Doubts {
    /// How long after an unclear attempt a gateway is asked, or the message repeated.
    pub clear_up_after: Duration,
    /// For how long look-ups must find no order before the same number may be ordered again.
    pub absent_for: Duration,
    /// For how long look-ups must find no message before it may be sent again.
    pub message_absent_for: Duration,
    /// For how long the receipt of a message in doubt is awaited, where the person could see a copy beside it.
    pub receipt_within: Duration,
    /// For how long a receipt is awaited that confirms what a refusal suggests: that an earlier copy arrived.
    pub confirm_within: Duration,
}

impl Doubts {
    /// For how long proofs of a message in doubt are awaited.
    #[must_use]
    pub const fn waits(&self) -> Waits {
        Waits { receipt: self.receipt_within, confirmation: self.confirm_within }
    }

    pub fn read(env: &mut Env) -> Option<Self> {
        let clear_up_after = env.duration(
            "SONGDA_CLEAR_UP_AFTER",
            "5s",
            "how long after an attempt of unknown outcome the gateway is asked about it",
        );
        let absent_for = env.duration(
            "SONGDA_ABSENT_FOR",
            "60s",
            "for how long a carrier must know no order before the same number is ordered again",
        );
        let message_absent_for = env.duration(
            "SONGDA_MESSAGE_ABSENT_FOR",
            "2m",
            "for how long a channel must know no message before it is sent again",
        );
        let receipt_within = env.duration(
            "SONGDA_RECEIPT_WITHIN",
            "2m",
            "how long the receipt of a message of unknown outcome is awaited before a copy is sent that may be seen twice",
        );
        let confirm_within = env.duration(
            "SONGDA_CONFIRM_WITHIN",
            "10m",
            "how long a receipt is awaited where WeChat has no consent left, as if an earlier copy had arrived",
        );
        Some(Self {
            clear_up_after: clear_up_after?,
            absent_for: absent_for?,
            message_absent_for: message_absent_for?,
            receipt_within: receipt_within?,
            confirm_within: confirm_within?,
        })
    }
}
