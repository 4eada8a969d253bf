//! Decides whether to believe a gateway that reports an address as gone (no longer valid). The server deletes an
//! address if it believes the report. But if a gateway reports many addresses at once, our credentials are probably
//! those of another app. Such reports are not believed, because the server would delete all addresses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::notice::notification::ChannelCode;
use crate::gateway::push::PushFact;

/// Counts of the gateways' reports about addresses, by channel, since this process started. Clones share the counts.
#[derive(Clone, Default)]
pub struct GoneAddresses(Arc<Mutex<BTreeMap<ChannelCode, Reports>>>);

/// The recent reports of one channel: how many called an address gone, and how many showed that an address is valid.
#[derive(Debug, Clone, Copy, Default)]
struct Reports {
    gone: u32,
    valid: u32,
}

/// A gateway is believed as long as it has reported at most one gone address for this many valid addresses. The first
/// gone address is not counted, so it is always believed.
const ONE_IN: u32 = 10;
/// The number of reports after which both counts are halved, so that recent reports weigh more than old ones.
const REMEMBERED: u32 = 1_000;

impl GoneAddresses {
    /// Counts a gateway's report about an address. Returns true if the channel's reports of gone addresses are believed
    /// now.
    pub fn believes(&self, channel: &ChannelCode, fact: &PushFact) -> bool {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = reports.entry(channel.clone()).or_default();
        reports.count(fact);
        reports.is_plausible()
    }
}

impl Reports {
    fn count(&mut self, fact: &PushFact) {
        match fact {
            PushFact::Gone => self.gone += 1,
            PushFact::Delivered { .. } | PushFact::Refused => self.valid += 1,
            PushFact::Throttled { .. } | PushFact::Unavailable | PushFact::Misconfigured | PushFact::Ambiguous => {}
        }
        if self.gone + self.valid > REMEMBERED {
            *self = Self { gone: self.gone / 2, valid: self.valid / 2 };
        }
    }

    const fn is_plausible(self) -> bool {
        self.gone <= 1 + self.valid / ONE_IN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: PushFact = PushFact::Delivered { reference: None };

    #[test]
    fn one_gone_address_is_believed_and_many_are_not() {
        let gone = GoneAddresses::default();
        let [wechat, sms] = ["wechat", "sms_aliyun"].map(ChannelCode::new);
        assert!(gone.believes(&wechat, &PushFact::Gone));
        assert!((0..50).all(|_| !gone.believes(&wechat, &PushFact::Gone)));
        assert!(gone.believes(&sms, &PushFact::Gone), "channels are counted apart");
        for _ in 0..600 {
            gone.believes(&wechat, &VALID);
        }
        assert!(gone.believes(&wechat, &PushFact::Gone), "the credentials were corrected");
    }

    proptest! {
        #[test]
        fn wrong_credentials_delete_few_addresses(valid in 0_u32..5_000) {
            let gone = GoneAddresses::default();
            let channel = ChannelCode::new("wechat");
            for _ in 0..valid {
                gone.believes(&channel, &VALID);
            }
            let deleted = (0..2_000).filter(|_| gone.believes(&channel, &PushFact::Gone)).count();
            prop_assert!(deleted <= 1 + (REMEMBERED / ONE_IN) as usize, "{}", deleted);
        }
    }
}
