//! The retry policy of each kind of job.

use std::time::Duration;

use crate::domain::kernel::retry::RetryPolicy;
use crate::domain::work::job::Work;
use crate::env::Env;

#[derive(Debug, Clone)]
pub struct RetrySettings {
    /// The policy of most kinds of jobs.
    pub usual: RetryPolicy,
    /// The interval at which a carrier is asked for a parcel's scans.
    pub track_every: Duration,
}

/// How long a parcel is followed after its order. Then its job becomes a dead letter.
pub const LONGEST_WAY: Duration = Duration::from_secs(60 * 86_400);

/// How long the sending of a one-time code is retried: half of the time for which the code is valid.
const CODE_COUNTS_FOR: Duration = Duration::from_secs(300);

/// How long the check of a file is retried, for example while the malware scanner is away. Then its job becomes a dead
/// letter, and the file stays unchecked until an operator replays the job.
const UNCHECKED_FOR: Duration = Duration::from_secs(7 * 86_400);

impl RetrySettings {
    pub fn policy(&self, work: &Work) -> RetryPolicy {
        match work {
            Work::SendLoginCode { .. } => RetryPolicy { attempts: 4, age: CODE_COUNTS_FOR, ..self.usual },
            Work::TrackParcel { .. } => {
                RetryPolicy { attempts: 1_000, age: LONGEST_WAY, longest: self.track_every, ..self.usual }
            }
            Work::CheckUpload { .. } => RetryPolicy { attempts: 1_000, age: UNCHECKED_FOR, ..self.usual },
            Work::Push { .. }
            | Work::OrderParcel { .. }
            | Work::CancelParcel { .. }
            | Work::ReadCallback { .. }
            | Work::RemoveContent { .. } => self.usual,
        }
    }

    pub fn read(env: &mut Env) -> Option<Self> {
        let meaning = "upper bound of the wait before the first repetition; it doubles from there";
        let first = env.duration("SONGDA_RETRY_FIRST", "1s", meaning);
        let longest = env.duration("SONGDA_RETRY_LONGEST", "15m", "upper bound of any wait before a repetition");
        let meaning = "how many attempts are made at a job before it is a dead letter";
        let attempts = env.or("SONGDA_RETRY_ATTEMPTS", "200", meaning);
        let meaning =
            "how old a job may grow before it is a dead letter: longer than a day, so that it outlives a day's quota";
        let age = env.duration("SONGDA_RETRY_AGE", "30h", meaning);
        let meaning = "how often a carrier is asked where a parcel is, beside the carrier's own callbacks";
        let track_every = env.duration("SONGDA_TRACK_EVERY", "2h", meaning);
        let usual = RetryPolicy { first: first?, longest: longest?, attempts: attempts?, age: age? };
        Some(Self { usual, track_every: track_every? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::parcel::CarrierCode;
    use crate::domain::kernel::clock::fresh;
    use crate::domain::kernel::ids::{LoginCodeId, ParcelId};
    use crate::domain::kernel::retry::Next;
    use crate::domain::notice::notification::ChannelCode;

    #[test]
    fn a_parcel_is_followed_for_weeks_and_a_code_is_old_after_minutes() {
        let settings = RetrySettings::read(&mut Env::default()).unwrap();
        let goes_on =
            |work: &Work, age: Duration| matches!(settings.policy(work).after(1, age, None, 0), Next::Again(_));
        let parcel = fresh(ParcelId::from_uuid);
        let carrier = CarrierCode::new("ems");
        let track = Work::TrackParcel { parcel, carrier: carrier.clone() };
        let order = Work::OrderParcel { parcel, carrier };
        let code = Work::SendLoginCode { code: fresh(LoginCodeId::from_uuid), channel: ChannelCode::new("sms_aliyun") };
        let minutes = Duration::from_secs(600);
        let days = Duration::from_secs(10 * 86_400);
        assert_eq!([&track, &order, &code].map(|work| goes_on(work, days)), [true, false, false]);
        assert_eq!([&track, &order, &code].map(|work| goes_on(work, minutes)), [true, true, false]);
    }
}
