//! What doing a job may need: the use cases, the gateways, and the limits and time-outs of this worker.

use crate::casework::Casework;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::Lane;
use crate::gateway::courier::Carriers;
use crate::gateway::push::Channels;
use crate::queue::Queue;
use crate::store::StoreError;
use crate::worker::pool::gone::Gone;
use crate::worker::settings::WorkerSettings;
use crate::worker::upkeep::health::Pulse;

/// Everything that doing a job may need.
pub struct Workshop {
    /// The use cases.
    pub casework: Casework,
    pub queue: Queue,
    pub channels: Channels,
    pub carriers: Carriers,
    /// Who sends parcels.
    pub office: PostalAddress,
    /// Limits and time-outs.
    pub settings: WorkerSettings,
    /// What this worker is called in leases and attempts.
    pub name: String,
    /// Shows that it is alive.
    pub pulse: Pulse,
    /// What it heard of addresses that are gone.
    pub gone: Gone,
}

impl Workshop {
    /// What the record answers, if it does within a lease. After that the answer is of no use to anybody: the line to
    /// the record is silent, and whatever waits for it must go on over another one.
    ///
    /// # Errors
    /// When the record is unavailable, or does not answer.
    pub async fn in_time<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::time::timeout(self.settings.lease, answer).await.unwrap_or_else(|_| Err(StoreError::silent()))
    }

    /// Every lane that this installation has, with its pace.
    #[must_use]
    pub fn lanes(&self) -> Vec<(Lane, Pace)> {
        let push = self.channels.iter().map(|channel| (Lane::push(channel.code()), channel.pace()));
        let carrying = self.channels.iter().filter(|channel| channel.login_template().is_some());
        let codes = carrying.map(|channel| (Lane::login(channel.code()), channel.pace()));
        let courier = self.carriers.iter().map(|carrier| (Lane::courier(carrier.code()), carrier.pace()));
        push.chain(codes).chain(courier).chain([(Lane::inside(), self.settings.inside)]).collect()
    }
}
