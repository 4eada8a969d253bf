//! The dependencies of jobs: the use cases, the gateways, and this worker's settings.

use crate::casework::Casework;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::Lane;
use crate::gateway::courier::Carriers;
use crate::gateway::malware::Clamd;
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
    /// The malware scanner; `None` if this installation has none.
    pub clamd: Option<Clamd>,
    /// The address of the office that sends all parcels.
    pub office: PostalAddress,
    pub settings: WorkerSettings,
    /// This worker's name in leases and attempts.
    pub name: String,
    pub health: Health,
    pub gone: GoneAddresses,
}

impl Workshop {
    /// Waits for a database operation, for at most the length of a lease. Fails if the database does not answer in
    /// time. The connection is then unusable, and the caller must use another one.
    pub async fn in_time<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let lease = self.settings.time_outs.lease;
        tokio::time::timeout(lease, answer).await.unwrap_or_else(|_| Err(StoreError::silent()))
    }

    /// Returns every lane (queue of jobs) of this installation, with its pace: its rate limit and number of slots.
    pub fn lanes(&self) -> Vec<(Lane, Pace)> {
        let push = self.channels.iter().map(|channel| (Lane::push(channel.code()), channel.pace()));
        let carrying = self.channels.iter().filter(|channel| channel.login_template().is_some());
        let codes = carrying.map(|channel| (Lane::login(channel.code()), channel.pace()));
        let courier = self.carriers.iter().map(|carrier| (Lane::courier(carrier.code()), carrier.pace()));
        let here = [(Lane::files(), self.settings.files), (Lane::inside(), self.settings.inside)];
        push.chain(codes).chain(courier).chain(here).collect()
    }
}
