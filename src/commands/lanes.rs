//! Lists the lanes (the queues of jobs, mostly one for each gateway) that `top` and `doctor` examine. The list covers
//! all gateways that Songda supports, including those that this installation does not use. So these commands need not
//! read the gateways' settings.

use songda::domain::delivery::parcel::CarrierCode;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::job::Lane;
use songda::registry::Registry;

pub fn all() -> Vec<Lane> {
    let registry = Registry::shipped();
    let channels = registry.channels().iter().map(|known| ChannelCode::new(known.code));
    let push = channels.flat_map(|channel| [Lane::push(&channel), Lane::login(&channel)]);
    let courier = registry.carriers().iter().map(|known| Lane::courier(&CarrierCode::new(known.code)));
    push.chain(courier).chain([Lane::files(), Lane::inside()]).collect()
}
