//! The rows of a record. They are sent as JSON, which PostgreSQL turns into rows of tables. So each member has the name
//! of its column.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::case::Case;
use crate::domain::kernel::clock::Instant;
use crate::store::StoreError;
use crate::store::cases::Detail;

#[derive(Clone, Serialize)]
pub(super) struct PersonRow {
    pub id: Uuid,
    pub phone_hash: Option<String>,
    pub resident_id_hash: Option<String>,
    pub phone_sealed: String,
    pub created_at: Instant,
}

#[derive(Clone, Serialize)]
pub(super) struct DraftRow {
    pub id: Uuid,
    pub person_id: Uuid,
    pub version: i64,
    pub submitted_as: Uuid,
}

#[derive(Clone, Serialize)]
pub(super) struct FileRow {
    pub id: Uuid,
    pub person_id: Uuid,
}

#[derive(Clone, Serialize)]
pub(super) struct NewCaseRow {
    pub id: Uuid,
    pub number: String,
    pub person_id: Uuid,
    pub item_code: String,
    pub item_version: i32,
    pub agency: String,
    pub source: String,
    pub source_ref: Option<String>,
    pub report_hash: Option<String>,
    pub report_key_hash: Option<String>,
    pub state: &'static str,
    pub detail: Value,
    pub delivery: Value,
    pub application: String,
    pub recipient_sealed: Option<String>,
    pub version: i64,
    pub due_on: Option<NaiveDate>,
    pub submitted_at: Instant,
    pub updated_at: Instant,
}

#[derive(Clone, Serialize)]
pub(super) struct CaseRow {
    pub id: Uuid,
    pub state: &'static str,
    pub detail: Value,
    pub due_on: Option<NaiveDate>,
    pub accepted_on: Option<NaiveDate>,
    pub promised_on: Option<NaiveDate>,
    pub legal_on: Option<NaiveDate>,
    pub version: i64,
    pub updated_at: Instant,
}

#[derive(Clone, Serialize)]
pub(super) struct HistoryRow {
    pub id: Uuid,
    pub case_id: Uuid,
    pub at: Instant,
    pub actor: String,
    pub behalf: String,
    pub act: &'static str,
    pub cause: Value,
}

#[derive(Clone, Serialize)]
pub(super) struct NotificationRow {
    pub id: Uuid,
    pub person_id: Uuid,
    pub case_id: Uuid,
    pub case_number: String,
    pub event: &'static str,
    pub parcel_id: Option<Uuid>,
    pub item_zh: String,
    pub item_en: String,
    pub created_at: Instant,
}

#[derive(Clone, Serialize)]
pub(super) struct ParcelRow {
    pub id: Uuid,
    pub person_id: Uuid,
    pub case_id: Uuid,
    pub agency: String,
    pub carrier: String,
    pub order_no: String,
    pub round: i32,
    pub state: &'static str,
    pub recipient_sealed: String,
    pub serve_by: Option<NaiveDate>,
    pub created_at: Instant,
}

#[derive(Clone, Serialize)]
pub(super) struct ChangeRow {
    pub person_id: Uuid,
    pub kind: &'static str,
    pub subject: String,
}

#[derive(Clone, Serialize)]
pub(super) struct JobRow {
    pub id: Uuid,
    pub lane: String,
    pub kind: &'static str,
    pub key: String,
    pub payload: Value,
    pub delay_ms: i64,
    pub trace: Option<String>,
}

#[derive(Clone, Serialize)]
pub(super) struct AnswerRow {
    pub scope: String,
    pub key: String,
    pub fingerprint: String,
    pub form: Value,
    pub body_sealed: String,
    pub created_at: Instant,
}

/// Returns the content of the column `cases.detail_sealed`, before it is sealed (encrypted).
pub(super) fn detail(case: &Case) -> Result<Value, StoreError> {
    json("cases.detail", &Detail { state: case.state.clone(), supplement: case.supplement.clone() })
}

/// Converts a value to JSON. `place` is the name of the value in errors: `table.column`.
pub(super) fn json<T: Serialize>(place: &str, value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Broken(format!("{place}: {error}")))
}

/// Formats bytes as the text of a `bytea` value.
pub(super) fn bytea(bytes: &[u8]) -> String {
    format!("\\x{}", hex::encode(bytes))
}
