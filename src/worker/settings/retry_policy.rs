//! How patient the worker is with each kind of job: how often it is tried, and for how long.

use std::time::Duration;

use crate::domain::kernel::retry::RetryPolicy;
use crate::domain::work::job::Work;
use crate::worker::WorkerSettings;

/// No parcel is on its way for longer.
pub const LONGEST_WAY: Duration = Duration::from_secs(60 * 86_400);

/// A one-time code is worth something for this long.
const CODE_COUNTS_FOR: Duration = Duration::from_secs(300);

impl WorkerSettings {
    /// How one kind of job is repeated.
    #[must_use]
    pub fn policy(&self, work: &Work) -> RetryPolicy {
        match work {
            Work::SendLoginCode { .. } => RetryPolicy { attempts: 4, age: CODE_COUNTS_FOR, ..self.retry },
            // The job lives as long as its parcel is on the way, and asks the carrier all that time.
            Work::TrackParcel { .. } => {
                RetryPolicy { attempts: 1_000, age: LONGEST_WAY, longest: self.track_every, ..self.retry }
            }
            Work::Push { .. }
            | Work::OrderParcel { .. }
            | Work::CancelParcel { .. }
            | Work::ReadCallback { .. }
            | Work::RemoveContent { .. } => self.retry,
        }
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
    use crate::env::Env;

    #[test]
    fn a_parcel_is_followed_for_weeks_and_a_code_is_old_after_minutes() {
        let settings = WorkerSettings::read(&mut Env::default()).unwrap();
        let goes_on =
            |work: &Work, age: Duration| matches!(settings.policy(work).after(1, age, None, 0), Next::Again(_));
        let (parcel, carrier) = (fresh(ParcelId::from_uuid), CarrierCode::new("ems"));
        let (track, order) =
            (Work::TrackParcel { parcel, carrier: carrier.clone() }, Work::OrderParcel { parcel, carrier });
        let code = Work::SendLoginCode { code: fresh(LoginCodeId::from_uuid), channel: ChannelCode::new("sms_aliyun") };
        let (minutes, days) = (Duration::from_secs(600), Duration::from_secs(10 * 86_400));
        assert_eq!([&track, &order, &code].map(|work| goes_on(work, days)), [true, false, false]);
        assert_eq!([&track, &order, &code].map(|work| goes_on(work, minutes)), [true, true, false]);
    }
}
