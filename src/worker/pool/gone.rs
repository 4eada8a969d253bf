//! Whether to believe that an address is gone. One that is leads nowhere, and is forgotten. But where many seem to be gone
//! at once, it is more likely that we ask with the credentials of another app, and would forget everybody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::notice::notification::ChannelCode;
use crate::gateway::push::PushFact;

/// What this process heard of the addresses of each channel. Cloning shares it.
#[derive(Clone, Default)]
pub struct Gone(Arc<Mutex<BTreeMap<ChannelCode, Heard>>>);

/// What was heard of late: of how many addresses that they are gone, and of how many that they are not.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    gone: u32,
    there: u32,
}

/// One address in so many may be gone. A first one always may.
const ONE_IN: u32 = 10;
/// How much is remembered.
const LATELY: u32 = 1_000;

impl Gone {
    /// Notes what a gateway said; whether an address that it calls gone is to be forgotten.
    pub fn believes(&self, channel: &ChannelCode, fact: &PushFact) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = heard.entry(channel.clone()).or_default();
        heard.note(fact);
        heard.is_plausible()
    }
}

impl Heard {
    fn note(&mut self, fact: &PushFact) {
        match fact {
            PushFact::Gone => self.gone += 1,
            PushFact::Delivered { .. } | PushFact::Refused => self.there += 1,
            PushFact::Throttled { .. } | PushFact::Unavailable | PushFact::Misconfigured | PushFact::Ambiguous => {}
        }
        if self.gone + self.there > LATELY {
            *self = Self { gone: self.gone / 2, there: self.there / 2 };
        }
    }

    const fn is_plausible(self) -> bool {
        self.gone <= 1 + self.there / ONE_IN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THERE: PushFact = PushFact::Delivered { reference: None };

    #[test]
    fn one_is_believed_and_a_crowd_is_not() {
        let (gone, wechat, sms) = (Gone::default(), ChannelCode::new("wechat"), ChannelCode::new("sms_aliyun"));
        assert!(gone.believes(&wechat, &PushFact::Gone));
        assert!((0..50).all(|_| !gone.believes(&wechat, &PushFact::Gone)));
        assert!(gone.believes(&sms, &PushFact::Gone), "another channel's troubles are its own");
        for _ in 0..600 {
            gone.believes(&wechat, &THERE);
        }
        assert!(gone.believes(&wechat, &PushFact::Gone), "it was mended");
    }

    proptest! {
        /// However things stood before, wrong credentials cost few people their address.
        #[test]
        fn wrong_credentials_are_noticed_soon(there in 0_u32..5_000) {
            let (gone, channel) = (Gone::default(), ChannelCode::new("wechat"));
            for _ in 0..there {
                gone.believes(&channel, &THERE);
            }
            let forgotten = (0..2_000).filter(|_| gone.believes(&channel, &PushFact::Gone)).count();
            prop_assert!(forgotten <= 1 + (LATELY / ONE_IN) as usize, "{}", forgotten);
        }
    }
}
