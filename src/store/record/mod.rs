//! Everything that one use case writes, in one statement.
//!
//! A use case gathers in a [`Record`] the new states of its cases, the jobs that follow from them, and its answer to
//! the client. [`save`] sends all of it to PostgreSQL as one statement, for one case or for two hundred. That is one
//! round trip, and no change can be saved without its jobs.

mod parts;
mod rows;
mod save;
mod statement;

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::Value;

use super::idempotency::{AnswerKey, StoredAnswer};
use super::jobs::millis;
use super::reported::Name;
use super::{StoreError, parcels, people};
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::delivery::parcel::{Parcel, ParcelState};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::{Instant, fresh_uuid};
use crate::domain::kernel::ids::{CaseId, DraftId, ParcelId, PersonId, UploadId};
use crate::domain::notice::notification::{Event, Notification};
use crate::domain::people::acting::Acting;
use crate::domain::people::identity::MobilePhone;
use crate::domain::work::job::Job;
use crate::store::cases::ReportMark;
use crate::store::seal::KeyRing;

use rows::{
    AnswerRow, CaseRow, ChangeRow, DraftRow, FileRow, HistoryRow, JobRow, NewCaseRow, NotificationRow, ParcelRow,
    PersonRow, bytea, detail, json,
};
pub use save::{SaveError, save};

/// The rows that a use case writes. Empty lists cost nothing.
#[derive(Clone, Default)]
pub struct Record {
    people: Vec<PersonRow>,
    new_cases: Vec<NewCaseRow>,
    cases: Vec<CaseRow>,
    drafts: Vec<DraftRow>,
    files: Vec<FileRow>,
    history: Vec<HistoryRow>,
    notifications: Vec<NotificationRow>,
    parcels: Vec<ParcelRow>,
    changes: Vec<ChangeRow>,
    jobs: Vec<JobRow>,
    answers: Vec<AnswerRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Case,
    Notification,
    Parcel,
    Draft,
}

impl ChangeKind {
    /// The name of the kind, as it is stored and as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Notification => "notification",
            Self::Parcel => "parcel",
            Self::Draft => "draft",
        }
    }
}

/// A new person whom a back-office system named.
pub struct NamedPerson<'a> {
    pub id: PersonId,
    /// The keyed hash by which the person is found.
    pub name: &'a Name,
    /// The phone to which messages go.
    pub phone: &'a MobilePhone,
}

/// The stored data of a new case that is not in [`Case`].
pub struct Opening<'a> {
    /// `mobile`, or the name of the back-office system that reported the case.
    pub source: &'a str,
    /// The back-office system's own reference.
    pub source_ref: Option<&'a str>,
    /// The hashes of the back-office system's report. It is `Some` exactly if `source_ref` is.
    pub report: Option<&'a ReportMark>,
    /// The sealed form and materials.
    pub application: &'a [u8],
    /// The sealed recipient of a parcel, if the delivery is by courier.
    pub recipient: Option<&'a [u8]>,
}

impl Record {
    /// Adds a person who is known only by a phone or resident ID that a back-office system reported. If an earlier
    /// report named the resident ID already, this only changes the phone to which messages go until the person signs
    /// in.
    pub fn add_person(&mut self, person: &NamedPerson<'_>, keys: &KeyRing, now: Instant) -> Result<(), StoreError> {
        self.people.push(PersonRow {
            id: person.id.uuid(),
            phone_hash: person.name.phone().map(bytea),
            resident_id_hash: person.name.resident_id().map(bytea),
            phone_sealed: bytea(&keys.seal(&people::phone_of(person.id), person.phone.expose().as_bytes())?),
            created_at: now,
        });
        Ok(())
    }

    /// Adds a new case.
    pub fn open(&mut self, case: &Case, opening: &Opening<'_>) -> Result<(), StoreError> {
        self.new_cases.push(NewCaseRow {
            id: case.id.uuid(),
            number: case.number.as_str().to_owned(),
            person_id: case.applicant.uuid(),
            item_code: case.item.as_str().to_owned(),
            item_version: case.item_version,
            agency: case.agency.as_str().to_owned(),
            source: opening.source.to_owned(),
            source_ref: opening.source_ref.map(str::to_owned),
            report_hash: opening.report.map(|report| bytea(&report.said)),
            report_key_hash: opening.report.and_then(|report| report.key.as_deref()).map(bytea),
            state: case.state.as_str(),
            detail: detail(case)?,
            delivery: json("cases.delivery", &case.delivery)?,
            application: bytea(opening.application),
            recipient_sealed: opening.recipient.map(bytea),
            version: 1,
            due_on: case.due_on,
            submitted_at: case.submitted_at,
            updated_at: case.submitted_at,
        });
        self.change(case.applicant, ChangeKind::Case, case.id);
        Ok(())
    }

    /// Writes the new state of a case. [`save`] refuses if the case is no longer at the version that was read.
    pub fn change_case(&mut self, case: &Case, read_at_version: i64, now: Instant) -> Result<(), StoreError> {
        self.cases.push(CaseRow {
            id: case.id.uuid(),
            state: case.state.as_str(),
            detail: detail(case)?,
            due_on: case.due_on,
            accepted_on: case.deadlines.map(|deadlines| deadlines.accepted_on),
            promised_on: case.deadlines.map(|deadlines| deadlines.promised_on),
            legal_on: case.deadlines.and_then(|deadlines| deadlines.legal_on),
            version: read_at_version,
            updated_at: now,
        });
        self.change(case.applicant, ChangeKind::Case, case.id);
        Ok(())
    }

    /// Marks a draft as submitted, and stores the case that it became. [`save`] refuses if the draft is no longer at
    /// the version that was read.
    pub fn submit_draft(&mut self, draft: DraftId, read_at_version: i64, case: &Case) {
        self.drafts.push(DraftRow {
            id: draft.uuid(),
            person_id: case.applicant.uuid(),
            version: read_at_version,
            submitted_as: case.id.uuid(),
        });
        self.change(case.applicant, ChangeKind::Draft, draft);
    }

    /// Marks a person's files as part of a case, so that they are kept for good.
    pub fn hand_in(&mut self, person: PersonId, files: impl IntoIterator<Item = UploadId>) {
        let row = |file: UploadId| FileRow { id: file.uuid(), person_id: person.uuid() };
        self.files.extend(files.into_iter().map(row));
    }

    /// Adds an entry to a case's history. `cause` is a JSON object with the reasons and details of the act.
    pub fn remember(&mut self, case: CaseId, acting: &Acting, act: Act, cause: Value, now: Instant) {
        self.history.push(HistoryRow {
            id: fresh_uuid(),
            case_id: case.uuid(),
            at: now,
            actor: acting.by.to_string(),
            behalf: acting.for_.to_string(),
            act: act.as_str(),
            cause,
        });
    }

    pub fn notify(&mut self, notification: &Notification) {
        self.notifications.push(NotificationRow {
            id: notification.id.uuid(),
            person_id: notification.person.uuid(),
            case_id: notification.case.uuid(),
            case_number: notification.case_number.as_str().to_owned(),
            event: notification.event.as_str(),
            parcel_id: notification.parcel.map(ParcelId::uuid),
            item_zh: notification.item.zh.clone(),
            item_en: notification.item.en.clone(),
            created_at: notification.created_at,
        });
        self.change(notification.person, ChangeKind::Notification, notification.id);
    }

    /// True if this record contains a notification of this event of a parcel. For stored notifications,
    /// [`super::notifications::has_parcel_event`] does the same.
    #[must_use]
    pub fn has_parcel_event(&self, parcel: ParcelId, event: Event) -> bool {
        let is_it = |row: &NotificationRow| row.parcel_id == Some(parcel.uuid()) && row.event == event.as_str();
        self.notifications.iter().any(is_it)
    }

    /// Adds a parcel to be sent. `agency` owns the case. `serve_by` is the day by which the parcel must arrive.
    pub fn add_parcel(
        &mut self,
        parcel: &Parcel,
        agency: &AgencyCode,
        serve_by: Option<NaiveDate>,
        keys: &KeyRing,
    ) -> Result<(), StoreError> {
        self.parcels.push(ParcelRow {
            id: parcel.id.uuid(),
            person_id: parcel.person.uuid(),
            case_id: parcel.case.uuid(),
            agency: agency.as_str().to_owned(),
            carrier: parcel.carrier.as_str().to_owned(),
            order_no: parcel.order_no.as_str().to_owned(),
            round: i32::try_from(parcel.round).unwrap_or(i32::MAX),
            state: ParcelState::Pending.as_str(),
            recipient_sealed: bytea(&keys.seal_json(&parcels::recipient_of(parcel.id), &parcel.recipient)?),
            serve_by,
            created_at: parcel.created_at,
        });
        self.change(parcel.person, ChangeKind::Parcel, parcel.id);
        Ok(())
    }

    /// Adds an entry to a person's log of changes, which the person's clients follow. `subject` is the public id of the
    /// changed case, notification, parcel or draft.
    pub fn change(&mut self, person: PersonId, kind: ChangeKind, subject: impl ToString) {
        self.changes.push(ChangeRow { person_id: person.uuid(), kind: kind.as_str(), subject: subject.to_string() });
    }

    /// Adds a job. [`save`] leaves it out if a job with the same business key is stored already.
    pub fn enqueue(&mut self, job: &Job, trace: Option<&str>) -> Result<(), StoreError> {
        self.jobs.push(JobRow {
            id: fresh_uuid(),
            lane: job.work.lane().as_str().to_owned(),
            kind: job.work.kind(),
            key: job.work.key(),
            payload: json("jobs.payload", &job.work)?,
            delay_ms: millis(job.delay),
            trace: trace.map(str::to_owned),
        });
        Ok(())
    }

    /// Makes a job of this record due after the duration `within`, unless the job is due earlier. For a stored job,
    /// [`super::jobs::hasten`] does the same.
    pub fn hasten(&mut self, key: &str, within: Duration) {
        for job in self.jobs.iter_mut().filter(|job| job.key == key) {
            job.delay_ms = job.delay_ms.min(millis(within));
        }
    }

    /// Stores the answer to a request together with the request's effect, for [`super::idempotency`].
    pub fn answer(
        &mut self,
        name: AnswerKey<'_>,
        stored: &StoredAnswer,
        keys: &KeyRing,
        now: Instant,
    ) -> Result<(), StoreError> {
        self.answers.push(AnswerRow {
            scope: name.scope.to_owned(),
            key: name.key.to_owned(),
            fingerprint: bytea(&stored.fingerprint),
            form: stored.form.clone(),
            body_sealed: bytea(&stored.seal_body(keys, name)?),
            created_at: now,
        });
        Ok(())
    }

    /// Adds the rows of another record, to be written by the same statement.
    pub fn append(&mut self, mut other: Self) {
        self.people.append(&mut other.people);
        self.new_cases.append(&mut other.new_cases);
        self.cases.append(&mut other.cases);
        self.drafts.append(&mut other.drafts);
        self.files.append(&mut other.files);
        self.history.append(&mut other.history);
        self.notifications.append(&mut other.notifications);
        self.parcels.append(&mut other.parcels);
        self.changes.append(&mut other.changes);
        self.jobs.append(&mut other.jobs);
        self.answers.append(&mut other.answers);
    }

    /// True if there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.people.is_empty()
            && self.new_cases.is_empty()
            && self.cases.is_empty()
            && self.drafts.is_empty()
            && self.files.is_empty()
            && self.history.is_empty()
            && self.notifications.is_empty()
            && self.parcels.is_empty()
            && self.changes.is_empty()
            && self.jobs.is_empty()
            && self.answers.is_empty()
    }

    /// Returns the people in whose logs of changes entries are added. A person can occur several times.
    pub fn people(&self) -> impl Iterator<Item = PersonId> {
        self.changes.iter().map(|change| PersonId::from_uuid(change.person_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::number::CaseNumber;
    use crate::domain::delivery::parcel::CarrierCode;
    use crate::domain::kernel::clock::fresh;
    use crate::domain::kernel::ids::NotificationId;
    use crate::domain::kernel::text::Bilingual;
    use crate::domain::work::job::Work;

    #[test]
    fn a_job_can_be_hastened_before_it_is_saved() {
        let track = || Work::TrackParcel { parcel: fresh(ParcelId::from_uuid), carrier: CarrierCode::new("ems") };
        let wanted = track();
        let other = track();
        let half_an_hour = Duration::from_secs(1_800);
        let mut record = Record::default();
        for work in [&wanted, &other] {
            record.enqueue(&Job::after(work.clone(), half_an_hour), None).unwrap();
        }
        let delays = |record: &Record| record.jobs.iter().map(|job| job.delay_ms).collect::<Vec<_>>();
        record.hasten(&wanted.key(), Duration::from_secs(300));
        assert_eq!(delays(&record), [300_000, 1_800_000]);
        record.hasten(&wanted.key(), half_an_hour);
        assert_eq!(delays(&record), [300_000, 1_800_000], "no job is delayed");
        record.hasten(&wanted.key(), Duration::ZERO);
        assert_eq!(delays(&record), [0, 1_800_000]);
    }

    #[test]
    fn a_record_knows_its_notifications_before_it_is_saved() {
        let parcel = fresh(ParcelId::from_uuid);
        let another = fresh(ParcelId::from_uuid);
        let mut record = Record::default();
        record.notify(&Notification {
            id: fresh(NotificationId::from_uuid),
            person: fresh(PersonId::from_uuid),
            case: fresh(CaseId::from_uuid),
            case_number: CaseNumber::from_stored("a case".to_owned()),
            event: Event::ParcelOutForDelivery,
            parcel: Some(parcel),
            item: Bilingual { zh: "居住证".to_owned(), en: "Residence permit".to_owned() },
            created_at: Instant::default(),
        });
        assert!(record.has_parcel_event(parcel, Event::ParcelOutForDelivery));
        assert!(!record.has_parcel_event(parcel, Event::ParcelDelivered));
        assert!(!record.has_parcel_event(another, Event::ParcelOutForDelivery));
    }
}
