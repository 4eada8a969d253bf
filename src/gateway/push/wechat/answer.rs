//! Turns the `errcode`s of a send into facts (微信《发送订阅消息》, its table of error codes).

use std::time::Duration;

use crate::domain::kernel::clock::{Instant, random_below, until_beijing_midnight};
use crate::gateway::push::PushFact;

/// Returns `None` for an undocumented code.
pub fn fact(code: i64, now: Instant) -> Option<PushFact> {
    Some(match code {
        0 => PushFact::Delivered { reference: None },
        // The openid is malformed, or belongs to another mini-program.
        40003 => PushFact::Gone,
        // The person gave no consent, all their one-time consents are used up, or they switched messages off.
        43101 => PushFact::Refused,
        // Songda sent two messages to one person at the same time.
        43108 => throttled(Duration::from_millis(1_000 + random_below(2_000))),
        // The daily quota is used up. It is reset at midnight in Beijing.
        45009 => throttled(until_beijing_midnight(now)),
        // The quota per minute is used up.
        45011 => throttled(Duration::from_mins(1)),
        // WeChat is busy.
        -1 => PushFact::Unavailable,
        _ if is_ours_to_correct(code) => PushFact::Misconfigured,
        _ => return None,
    })
}

const fn throttled(after: Duration) -> PushFact {
    PushFact::Throttled { after: Some(after) }
}

/// True if a retry is useless until our account, template or message is corrected.
const fn is_ours_to_correct(code: i64) -> bool {
    matches!(
        code,
        40001 | 40002 | 40013 | 40014 | 40125 | 40243 | 41001 | 41002 | 41004 | 42001 // credentials
        | 40164 | 61004 | 89503 | 89506 | 89507 // the caller's IP address is not on the allow list
        | 43107 | 45103 | 48001 | 48004 | 50001 | 50002 // not authorised, banned or withdrawn
        | 40037 | 41030 | 45168 | 47003 // template, page, sensitive words, field
        | 40066 | 43002 | 43003 | 44002 | 45002 | 47001 // the request itself
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_errcode_has_its_fact() {
        let now: Instant = "2026-01-01T15:00:00Z".parse().unwrap();
        let after = |seconds| throttled(Duration::from_secs(seconds));
        for (codes, expected) in [
            (&[0][..], PushFact::Delivered { reference: None }),
            (&[40003], PushFact::Gone),
            (&[43101], PushFact::Refused),
            (&[45009], after(3_600)),
            (&[45011], after(60)),
            (&[-1], PushFact::Unavailable),
            (
                &[
                    41001, 40013, 40037, 41030, 43107, 45168, 47001, 44002, 45002, 40066, 43002, 43003, 47003, 48001,
                    48004, 50001, 50002, 40164, 61004, 45103,
                ],
                PushFact::Misconfigured,
            ),
        ] {
            for code in codes {
                assert_eq!(fact(*code, now), Some(expected.clone()), "{code}");
            }
        }
        assert_eq!([200_001, 12_345, 999_999].map(|code| fact(code, now)), [None, None, None]);
        let Some(PushFact::Throttled { after: Some(after) }) = fact(43108, now) else { panic!("43108 is throttling") };
        assert!((1_000..3_000).contains(&after.as_millis()));
    }
}
