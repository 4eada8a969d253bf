//! The dependencies of jobs: the use cases, the gateways, and this worker's settings.

use crate::casework::Casework;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::Lane;
use crate::gateway::courier::Carriers;
use crate::gateway::push::Channels;
use crate::queue::Queue;
use crate::store::StoreError;
use crate::worker::gone_addresses::GoneAddresses;
use crate::worker::health::Health;
use crate::worker::settings::WorkerSettings;

pub struct Workshop {
    pub casework: Casework,
    pub queue: Queue,
    pub channels: Channels,
    pub carriers: Carriers,
    /// The sender of parcels.
    pub office: PostalAddress,
    pub settings: WorkerSettings,
    /// This worker's name in leases and attempts.
    pub name: String,
    pub health: Health,
    pub gone: GoneAddresses,
}

impl Workshop {
    /// Waits for an answer of the database, at most for the length of a lease. If none comes, the connection is broken,
    /// and the caller must go on over another one.
    pub async fn in_time<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let lease = self.settings.time_outs.lease;
        tokio::time::timeout(lease, answer).await.unwrap_or_else(|_| Err(StoreError::silent()))
    }

    /// Every lane of this installation, with its pace.
    pub fn lanes(&self) -> Vec<(Lane, Pace)> {
        let push = self.channels.iter().map(|channel| (Lane::push(channel.code()), channel.pace()));
        let carrying = self.channels.iter().filter(|channel| channel.login_template().is_some());
        let codes = carrying.map(|channel| (Lane::login(channel.code()), channel.pace()));
        let courier = self.carriers.iter().map(|carrier| (Lane::courier(carrier.code()), carrier.pace()));
        push.chain(codes).chain(courier).chain([(Lane::inside(), self.settings.inside)]).collect()
    }
}
