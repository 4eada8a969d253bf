//! The lanes that operators' commands look at: those of every gateway that Songda knows, whether this installation uses it
//! or not, so that a command needs no gateway's keys.

use songda::domain::delivery::parcel::CarrierCode;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::job::Lane;
use songda::registry::Registry;

/// All lanes.
pub fn all() -> Vec<Lane> {
    let registry = Registry::shipped();
    let channels = registry.channels().iter().map(|known| ChannelCode::new(known.code));
    let push = channels.flat_map(|channel| [Lane::push(&channel), Lane::login(&channel)]);
    let courier = registry.carriers().iter().map(|known| Lane::courier(&CarrierCode::new(known.code)));
    push.chain(courier).chain([Lane::inside()]).collect()
}
