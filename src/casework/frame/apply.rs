//! Turns the consequences of a transition of a case ([`Owed`]) into rows of a [`Record`]. The consequences are a
//! notification and the job that pushes it, or a parcel and the job that orders it.

use crate::casework::Casework;
use crate::catalog::Snapshot;
use crate::domain::case::{Case, Owed};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, Parcel, ParcelState};
use crate::domain::item::Item;
use crate::domain::kernel::clock::{Instant, fresh};
use crate::domain::kernel::ids::{NotificationId, ParcelId};
use crate::domain::notice::notification::{ChannelCode, Event, Notification};
use crate::domain::notice::reach::Reach;
use crate::domain::work::job::{Job, Work};
use crate::store::StoreError;
use crate::store::record::Record;

/// A case, and the item in the version for which the case was opened.
#[derive(Clone, Copy)]
pub(in crate::casework) struct CaseOfItem<'a> {
    pub case: &'a Case,
    pub item: &'a Item,
}

/// How an applicant is reached.
pub(in crate::casework) struct Applicant<'a> {
    pub reach: &'a Reach,
    /// The address for a parcel; `None` only if no parcel follows from the transition.
    pub recipient: Option<PostalAddress>,
    /// The `traceparent` of the request that made the transition. The new jobs inherit it.
    pub trace: Option<&'a str>,
}

/// An event of a case about which the applicant is notified.
pub(in crate::casework) struct EventMessage<'a> {
    pub event: Event,
    /// The parcel that the event is about, if any.
    pub parcel: Option<ParcelId>,
    pub reach: &'a Reach,
    /// The `traceparent` of the request or callback that caused the event.
    pub trace: Option<&'a str>,
}

impl Casework {
    /// Adds the rows of a transition's consequences (`owed`) to the record.
    pub(in crate::casework) fn apply(
        &self,
        record: &mut Record,
        of: CaseOfItem<'_>,
        owed: &[Owed],
        applicant: &Applicant<'_>,
        now: Instant,
    ) -> Result<(), StoreError> {
        for owed in owed {
            match owed {
                Owed::Notify(event) => {
                    let Applicant { reach, trace, .. } = *applicant;
                    self.notify(record, of, &EventMessage { event: *event, parcel: None, reach, trace }, now)?;
                }
                Owed::Parcel(carrier) => self.add_parcel(record, of.case, carrier, applicant, now)?,
            }
        }
        Ok(())
    }

    /// Adds a notification for the inbox. Also adds a push job, if this kind of event is pushed to phones and a channel
    /// can reach the person.
    pub(in crate::casework) fn notify(
        &self,
        record: &mut Record,
        CaseOfItem { case, item }: CaseOfItem<'_>,
        &EventMessage { event, parcel, reach, trace }: &EventMessage<'_>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let notification = Notification {
            id: fresh(NotificationId::from_uuid),
            person: case.applicant,
            case: case.id,
            case_number: case.number.clone(),
            event,
            parcel,
            item: item.discreet_name(),
            created_at: now,
        };
        record.notify(&notification);
        if event.rings()
            && let Some(channel) = self.next_channel(&self.catalog().current(), event, reach, None)
        {
            record.enqueue(&Job::now(Work::Push { notification: notification.id, channel }), trace)?;
        }
        Ok(())
    }

    /// Finds the first push channel after `after`, in the configured order of channels, that can deliver a message
    /// about an event to a person. If `after` is `None`, the search starts at the first channel.
    pub(in crate::casework) fn next_channel(
        &self,
        catalog: &Snapshot,
        event: Event,
        reach: &Reach,
        after: Option<&ChannelCode>,
    ) -> Option<ChannelCode> {
        let template = |code: &ChannelCode| catalog.templates().for_(code, event, reach.language);
        self.parts.chain.next(after, reach, template).cloned()
    }

    fn add_parcel(
        &self,
        record: &mut Record,
        case: &Case,
        carrier: &CarrierCode,
        applicant: &Applicant<'_>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let no_recipient = || StoreError::Broken(format!("the recipient of case {}", case.id));
        let id = fresh(ParcelId::from_uuid);
        let parcel = Parcel {
            id,
            person: case.applicant,
            case: case.id,
            carrier: carrier.clone(),
            order_no: OrderNo::mint(id, 1),
            round: 1,
            waybill: None,
            state: ParcelState::Pending,
            recipient: applicant.recipient.clone().ok_or_else(no_recipient)?,
            created_at: now,
        };
        let serve_by = case.serve_by(self.catalog().current().calendar());
        record.add_parcel(&parcel, &case.agency, serve_by, self.store().keys())?;
        record.enqueue(&Job::now(Work::OrderParcel { parcel: id, carrier: carrier.clone() }), applicant.trace)
    }
}
