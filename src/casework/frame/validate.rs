//! Validates an application against the catalogue, and against the uploads and the address book of its applicant.

use std::collections::BTreeMap;

use crate::casework::Casework;
use crate::catalog::Snapshot;
use crate::domain::application::upload::FileFault;
use crate::domain::application::{Application, Circumstances, DeliveryChoice, DraftContent};
use crate::domain::case::Delivery;
use crate::domain::delivery::address::SavedAddress;
use crate::domain::form::{Context, Fault, RegionLevel};
use crate::domain::item::Item;
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::people::person::Person;
use crate::store::{Conn, StoreError, addresses, people, uploads};

/// The applicant of a draft, and the uploads and the address in the draft that belong to the applicant.
pub(in crate::casework) struct Belongings {
    pub person: Option<Person>,
    uploads: BTreeMap<UploadId, Option<FileFault>>,
    /// The address for a parcel.
    pub address: Option<SavedAddress>,
}

impl Casework {
    /// Reads the owner of a draft, and the owner's uploads and address to which the draft refers.
    pub(in crate::casework) async fn belongings(
        &self,
        conn: &mut Conn,
        person: PersonId,
        content: &DraftContent,
    ) -> Result<Belongings, StoreError> {
        let address = match &content.delivery {
            Some(DeliveryChoice::Courier { address }) => {
                addresses::find(conn, self.store().keys(), person, *address).await?
            }
            _ => None,
        };
        let uploads = uploads::made_by(conn, person, &content.application.uploads()).await?;
        let person = people::find(conn, self.store().keys(), person).await?;
        Ok(Belongings { person, uploads, address })
    }

    /// Validates a draft as if it were submitted now. Returns the delivery, or all faults.
    pub(in crate::casework) fn validate(
        &self,
        catalog: &Snapshot,
        item: &Item,
        content: &DraftContent,
        belongings: &Belongings,
        now: Instant,
    ) -> Result<Delivery, Vec<Fault>> {
        self.with_circumstances(catalog, belongings, now, |circumstances| content.check(item, circumstances))
    }

    /// Validates the answer to a supplement notice.
    pub(in crate::casework) async fn validate_supplement(
        &self,
        conn: &mut Conn,
        catalog: &Snapshot,
        item: &Item,
        person: PersonId,
        answer: &Application,
        now: Instant,
    ) -> Result<Result<(), Vec<Fault>>, StoreError> {
        let uploads = uploads::made_by(conn, person, &answer.uploads()).await?;
        let person = people::find(conn, self.store().keys(), person).await?;
        let belongings = Belongings { person, uploads, address: None };
        Ok(self.with_circumstances(catalog, &belongings, now, |all| answer.check_supplement(item, all)))
    }

    fn with_circumstances<T>(
        &self,
        catalog: &Snapshot,
        belongings: &Belongings,
        now: Instant,
        check: impl FnOnce(&Circumstances<'_>) -> T,
    ) -> T {
        let knows_region = |code: &str, level: RegionLevel| catalog.regions().knows(code, level);
        check(&Circumstances {
            applicant: belongings.person.as_ref().and_then(|person| person.identity.as_ref()),
            form: Context { today: beijing_day(now), knows_region: &knows_region },
            knows_hall: &|code| catalog.hall(code).is_some(),
            uploads: &belongings.uploads,
            address: belongings.address.as_ref().map(|saved| saved.id),
            carriers: &self.carrier_codes,
        })
    }
}
