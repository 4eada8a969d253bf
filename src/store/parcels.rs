//! Parcels (寄递) and their scans. New parcels are written by [`super::record`].

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, Parcel, ParcelState, Scan, ScanMeaning, Waybill};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::domain::kernel::private::Private;
use crate::store::seal::KeyRing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredParcel {
    pub parcel: Parcel,
    /// The agency that owns the case.
    pub agency: AgencyCode,
    /// The day by which it must arrive (行政许可法 44). `None` if that year's working days were not announced when it was
    /// added.
    pub serve_by: Option<NaiveDate>,
}

/// Columns are named, so that a column of a newer release does not change the statements of this one.
macro_rules! columns {
    () => {
        "id, person_id, case_id, agency, carrier, order_no, round, waybill, state, recipient_sealed, serve_by, created_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    person_id: Uuid,
    case_id: Uuid,
    agency: String,
    carrier: String,
    order_no: String,
    round: i32,
    waybill: Option<String>,
    state: String,
    recipient_sealed: Vec<u8>,
    serve_by: Option<NaiveDate>,
    created_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<StoredParcel, StoreError> {
        let id = ParcelId::from_uuid(self.id);
        let state = ParcelState::from_stored(&self.state);
        let recipient: PostalAddress = keys.open_json("parcels.recipient", &self.recipient_sealed)?;
        let parcel = Parcel {
            id,
            person: PersonId::from_uuid(self.person_id),
            case: CaseId::from_uuid(self.case_id),
            carrier: CarrierCode::new(self.carrier),
            order_no: OrderNo::from_stored(self.order_no),
            round: u32::try_from(self.round).unwrap_or(1),
            waybill: self.waybill.map(Waybill::new),
            state: state.ok_or_else(|| StoreError::Broken(format!("parcels.state of {id}")))?,
            recipient,
            created_at: self.created_at,
        };
        Ok(StoredParcel { parcel, agency: AgencyCode::new(self.agency), serve_by: self.serve_by })
    }
}

pub async fn find(conn: &mut Conn, keys: &KeyRing, id: ParcelId) -> Result<Option<StoredParcel>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!("select ", columns!(), " from parcels where id = $1"))
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// As [`find`], locked until the end of the transaction.
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    id: ParcelId,
) -> Result<Option<StoredParcel>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from parcels where id = $1 for no key update"))
            .bind(id.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Locks parcels until the end of the transaction, in the order that all transactions use: two workers that learn of
/// the same parcels at the same time wait for each other once, and never in a circle.
pub async fn lock(conn: &mut Conn, parcels: &BTreeSet<ParcelId>) -> Result<(), StoreError> {
    if !parcels.is_empty() {
        let ids: Vec<Uuid> = parcels.iter().map(|parcel| parcel.uuid()).collect();
        sqlx::query("select from parcels where id = any($1) order by id for no key update")
            .bind(ids)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// The parcel that a carrier means: by our order number, or else by its waybill. Carriers reuse waybills, so the newest
/// parcel counts.
pub async fn known_as(
    conn: &mut Conn,
    carrier: &CarrierCode,
    order_no: Option<&OrderNo>,
    waybill: &Waybill,
) -> Result<Option<ParcelId>, StoreError> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "(select id from parcels where carrier = $1 and order_no = $2)
         union all
         (select id from parcels where carrier = $1 and waybill = $3 order by id desc limit 1)
         limit 1",
    )
    .bind(carrier.as_str())
    .bind(order_no.map(OrderNo::as_str))
    .bind(waybill.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(id.map(ParcelId::from_uuid))
}

pub async fn of_case(conn: &mut Conn, keys: &KeyRing, case: CaseId) -> Result<Vec<StoredParcel>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(concat!("select ", columns!(), " from parcels where case_id = $1 order by id"))
        .bind(case.uuid())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// An agency's parcels in one state after a position in the list, in the order of the days by which they must arrive.
/// Parcels without such a day come last.
pub async fn of_agency(
    conn: &mut Conn,
    keys: &KeyRing,
    agency: &AgencyCode,
    state: ParcelState,
    after: Option<(Option<NaiveDate>, ParcelId)>,
    limit: i64,
) -> Result<Vec<StoredParcel>, StoreError> {
    let first = (NaiveDate::from_yo_opt(1, 1), Uuid::nil());
    let (serve_by, id) = after.map_or(first, |(serve_by, id)| (serve_by, id.uuid()));
    let rows: Vec<Row> = sqlx::query_as(TO_SERVE)
        .bind(agency.as_str())
        .bind(state.as_str())
        .bind(serve_by)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// A page of an agency's parcels: of an agency ($1), in one state ($2), after a day and an id ($3, $4), at most $5
/// rows. Every page, also the first, begins after a position, so that PostgreSQL always finds it by the index
/// `parcels_to_serve`.
pub const TO_SERVE: &str = concat!(
    "select ",
    columns!(),
    " from parcels
      where agency = $1 and state = $2
        and (coalesce(serve_by, 'infinity'::date), id) > (coalesce($3::date, 'infinity'::date), $4::uuid)
      order by coalesce(serve_by, 'infinity'::date), id limit $5"
);

/// Writes a changed parcel: its order number, waybill and state.
pub async fn update(conn: &mut Conn, parcel: &Parcel, now: Instant) -> Result<(), StoreError> {
    sqlx::query(
        "update parcels set order_no = $2, round = $3, waybill = $4, state = $5, updated_at = $6,
                version = version + 1
         where id = $1",
    )
    .bind(parcel.id.uuid())
    .bind(parcel.order_no.as_str())
    .bind(i32::try_from(parcel.round).unwrap_or(i32::MAX))
    .bind(parcel.waybill.as_ref().map(Waybill::as_str))
    .bind(parcel.state.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanSource {
    /// The carrier called us. Such a scan is only a hint.
    Callback,
    /// We asked the carrier. Such a scan is a fact.
    Query,
}

impl ScanSource {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Query => "query",
        }
    }
}

/// Adds scans to a parcel. A scan that is stored already is not added again, but a hint becomes a fact if the same scan
/// comes by a query.
pub async fn add_scans(
    conn: &mut Conn,
    keys: &KeyRing,
    parcel: ParcelId,
    scans: &[Scan],
    source: ScanSource,
    now: Instant,
) -> Result<(), StoreError> {
    for scan in scans {
        sqlx::query(
            "insert into parcel_scans (parcel_id, scan_key, code, meaning, occurred_at, received_at, place, text_sealed,
                                       source, raw_sealed)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (parcel_id, scan_key) do update set source = 'query'
             where parcel_scans.source = 'callback' and excluded.source = 'query'",
        )
        .bind(parcel.uuid())
        .bind(&scan.key)
        .bind(&scan.code)
        .bind(meaning_text(scan.meaning))
        .bind(scan.occurred_at)
        .bind(now)
        .bind(&scan.place)
        .bind(keys.seal("parcel_scans.text", scan.text.expose().as_bytes())?)
        .bind(source.as_str())
        .bind(keys.seal("parcel_scans.raw", scan.raw.expose().as_bytes())?)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// A stored scan.
pub struct StoredScan {
    pub scan: Scan,
    /// False for a hint: it came in a call of the carrier, and no query has confirmed it.
    pub is_fact: bool,
}

/// A parcel's scans, the oldest first. The carrier's whole original text of each is stored too, but not read here,
/// because nothing that is shown needs it.
pub async fn scans(conn: &mut Conn, keys: &KeyRing, parcel: ParcelId) -> Result<Vec<StoredScan>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        scan_key: String,
        code: String,
        meaning: String,
        occurred_at: Instant,
        place: String,
        text_sealed: Vec<u8>,
        source: String,
        waybill: Option<String>,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select s.scan_key, s.code, s.meaning, s.occurred_at, s.place, s.text_sealed, s.source, p.waybill
         from parcel_scans s join parcels p on p.id = s.parcel_id
         where s.parcel_id = $1 order by s.occurred_at, s.received_at, s.scan_key",
    )
    .bind(parcel.uuid())
    .fetch_all(conn)
    .await?;
    let open = |row: Row| {
        let text = keys.open("parcel_scans.text", &row.text_sealed)?;
        let scan = Scan {
            order_no: None,
            waybill: Waybill::new(row.waybill.unwrap_or_default()),
            key: row.scan_key,
            code: row.code,
            meaning: meaning_of(&row.meaning),
            occurred_at: row.occurred_at,
            place: row.place,
            text: Private::new(String::from_utf8_lossy(&text).into_owned()),
            raw: Private::default(),
        };
        Ok(StoredScan { scan, is_fact: row.source == ScanSource::Query.as_str() })
    };
    rows.into_iter().map(open).collect()
}

fn meaning_text(meaning: ScanMeaning) -> String {
    serde_json::to_value(meaning).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn meaning_of(text: &str) -> ScanMeaning {
    serde_json::from_value(serde_json::Value::from(text)).unwrap_or(ScanMeaning::Unchanged)
}
