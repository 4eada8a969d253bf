//! Parcels (寄递) and their scans. [`super::record`] adds new parcels.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::jobs::millis;
use super::{Conn, StoreError};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{
    CarrierCode, HintedParcel, OrderNo, Parcel, ParcelState, Scan, ScanMeaning, Waybill,
};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::domain::kernel::private::Private;
use crate::store::seal::{Cell, KeyRing};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredParcel {
    pub parcel: Parcel,
    /// The agency that owns the case.
    pub agency: AgencyCode,
    /// The day by which the parcel must arrive (行政许可法 44). `None` if that year's working days were not announced when
    /// the parcel was added.
    pub serve_by: Option<NaiveDate>,
    /// How long it is until the look at the parcel that a hint of its carrier caused; `None` if the carrier was asked since
    /// the last hint.
    pub hinted_look_in: Option<Duration>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, person_id, case_id, agency, carrier, order_no, round, waybill, state, recipient_sealed,
                    serve_by, created_at,
                    case when look_open then (extract(epoch from look_at - now()) * 1000)::bigint end as look_in
             from parcels ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: ParcelId,
    person_id: PersonId,
    case_id: CaseId,
    agency: AgencyCode,
    carrier: CarrierCode,
    order_no: OrderNo,
    round: i32,
    waybill: Option<Waybill>,
    state: String,
    recipient_sealed: Vec<u8>,
    serve_by: Option<NaiveDate>,
    created_at: Instant,
    look_in: Option<i64>,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<StoredParcel, StoreError> {
        let recipient: PostalAddress = keys.open_json(&recipient_of(self.id), &self.recipient_sealed)?;
        let broken = || StoreError::Broken(format!("parcels.state of {}", self.id));
        let parcel = Parcel {
            id: self.id,
            person: self.person_id,
            case: self.case_id,
            carrier: self.carrier,
            order_no: self.order_no,
            round: u32::try_from(self.round).unwrap_or(1),
            waybill: self.waybill,
            state: ParcelState::from_stored(&self.state).ok_or_else(broken)?,
            recipient,
            created_at: self.created_at,
        };
        let hinted_look_in = self.look_in.map(|millis| Duration::from_millis(millis.max(0).unsigned_abs()));
        Ok(StoredParcel { parcel, agency: self.agency, serve_by: self.serve_by, hinted_look_in })
    }
}

pub async fn find(conn: &mut Conn, keys: &KeyRing, id: ParcelId) -> Result<Option<StoredParcel>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("where id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Finds a parcel like [`find`], and locks it until the end of the transaction.
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    id: ParcelId,
) -> Result<Option<StoredParcel>, StoreError> {
    let sql = select!("where id = $1 for no key update");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Locks parcels until the end of the transaction. The order of the locks is the same in all transactions, so that two
/// workers with the same parcels never wait for each other in a circle.
pub async fn lock(conn: &mut Conn, parcels: &BTreeSet<ParcelId>) -> Result<(), StoreError> {
    if !parcels.is_empty() {
        let ids: Vec<&ParcelId> = parcels.iter().collect();
        let sql = "select from parcels where id = any($1) order by id for no key update";
        sqlx::query(sql).bind(ids).execute(conn).await?;
    }
    Ok(())
}

/// Finds the parcel that a carrier refers to: by our order number, or else by the carrier's waybill number. Carriers
/// reuse waybill numbers, so the newest parcel with the number is returned.
pub async fn known_as(
    conn: &mut Conn,
    carrier: &CarrierCode,
    order_no: Option<&OrderNo>,
    waybill: &Waybill,
) -> Result<Option<ParcelId>, StoreError> {
    let sql = "(select id from parcels where carrier = $1 and order_no = $2)
               union all
               (select id from parcels where carrier = $1 and waybill = $3 order by id desc limit 1)
               limit 1";
    Ok(sqlx::query_scalar(sql).bind(carrier).bind(order_no).bind(waybill).fetch_optional(conn).await?)
}

/// Finds the parcels of a carrier that hints name: by our order numbers and by the carrier's waybill numbers.
pub async fn known_among(
    conn: &mut Conn,
    carrier: &CarrierCode,
    hinted: &[HintedParcel],
) -> Result<BTreeSet<ParcelId>, StoreError> {
    let sql = "select coalesce(
                   (select id from parcels where carrier = $1 and order_no = h.order_no),
                   (select id from parcels where carrier = $1 and waybill = h.waybill order by id desc limit 1)) as id
               from unnest($2::text[], $3::text[]) as h (order_no, waybill)";
    let order_nos: Vec<Option<&str>> = hinted.iter().map(|one| one.order_no.as_ref().map(OrderNo::as_str)).collect();
    let waybills: Vec<&str> = hinted.iter().map(|one| one.waybill.as_str()).collect();
    let found: Vec<Option<ParcelId>> =
        sqlx::query_scalar(sql).bind(carrier).bind(order_nos).bind(waybills).fetch_all(conn).await?;
    Ok(found.into_iter().flatten().collect())
}

/// A look at a parcel that a hint of its carrier caused.
pub struct PlannedLook {
    pub parcel: ParcelId,
    pub state: ParcelState,
    /// How long it is until the look.
    pub wait: Duration,
    /// How long ago the parcel was added.
    pub age: Duration,
}

/// Plans a look at each of these parcels, at least `apart` after the last one that was planned. The caller has locked the
/// parcels. A parcel whose look is planned already is left out.
pub async fn plan_looks(
    conn: &mut Conn,
    parcels: &[ParcelId],
    apart: Duration,
) -> Result<Vec<PlannedLook>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: ParcelId,
        state: String,
        wait: i64,
        age: i64,
    }
    let sql = "update parcels
               set look_open = true, look_at = case when look_at > now() then look_at
                   else greatest(now(), look_at + $2 * interval '1 millisecond') end
               where id = any($1) and (not look_open or look_at <= now())
               returning id, state, (extract(epoch from look_at - now()) * 1000)::bigint as wait,
                         (extract(epoch from now() - created_at) * 1000)::bigint as age";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(parcels).bind(millis(apart)).fetch_all(conn).await?;
    let duration = |millis: i64| Duration::from_millis(millis.max(0).unsigned_abs());
    let planned = |row: Row| {
        let state = ParcelState::from_stored(&row.state);
        let state = state.ok_or_else(|| StoreError::Broken(format!("parcels.state of {}", row.id)))?;
        Ok(PlannedLook { parcel: row.id, state, wait: duration(row.wait), age: duration(row.age) })
    };
    rows.into_iter().map(planned).collect()
}

/// Notes that the carrier was asked since the last hint.
pub async fn close_look(conn: &mut Conn, parcel: ParcelId) -> Result<(), StoreError> {
    sqlx::query("update parcels set look_open = false where id = $1").bind(parcel).execute(conn).await?;
    Ok(())
}

pub async fn of_case(conn: &mut Conn, keys: &KeyRing, case: CaseId) -> Result<Vec<StoredParcel>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("where case_id = $1 order by id")).bind(case).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Returns an agency's parcels in one state after a position in the list, in the order of the days by which they must
/// arrive. Parcels without such a day come last.
pub async fn of_agency(
    conn: &mut Conn,
    keys: &KeyRing,
    agency: &AgencyCode,
    state: ParcelState,
    after: Option<(Option<NaiveDate>, ParcelId)>,
    limit: i64,
) -> Result<Vec<StoredParcel>, StoreError> {
    // Every page, also the first, begins after a position, so that PostgreSQL always uses the index `parcels_to_serve`.
    let sql = select!(
        "where agency = $1 and state = $2
           and (coalesce(serve_by, 'infinity'::date), id) > (coalesce($3::date, 'infinity'::date), $4::uuid)
         order by coalesce(serve_by, 'infinity'::date), id limit $5"
    );
    let first = (NaiveDate::from_yo_opt(1, 1), Uuid::nil());
    let (serve_by, id) = after.map_or(first, |(serve_by, id)| (serve_by, id.uuid()));
    let query = sqlx::query_as(sql).bind(agency).bind(state.as_str()).bind(serve_by).bind(id).bind(limit);
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Writes the order number, waybill number and state of a changed parcel.
pub async fn update(conn: &mut Conn, parcel: &Parcel, now: Instant) -> Result<(), StoreError> {
    let sql = "update parcels set order_no = $2, round = $3, waybill = $4, state = $5, updated_at = $6,
                      version = version + 1
               where id = $1";
    sqlx::query(sql)
        .bind(parcel.id)
        .bind(&parcel.order_no)
        .bind(i32::try_from(parcel.round).unwrap_or(i32::MAX))
        .bind(&parcel.waybill)
        .bind(parcel.state.as_str())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanSource {
    /// The scan came in an authentic callback of the carrier. A final state is believed only after a query.
    Callback,
    /// The scan came in the carrier's response to our query, and is a fact.
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

/// Adds scans to a parcel. A scan that is stored already is not added again. But if the stored scan came in a callback
/// and the same scan now comes from a query, its source becomes `query`.
/// Returns how many scans were added or became facts.
pub async fn add_scans(
    conn: &mut Conn,
    keys: &KeyRing,
    parcel: ParcelId,
    scans: &[Scan],
    source: ScanSource,
    now: Instant,
) -> Result<u64, StoreError> {
    let sql =
        "insert into parcel_scans (parcel_id, scan_key, code, meaning, occurred_at, received_at, place, text_sealed,
                                         source, raw_sealed)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               on conflict (parcel_id, scan_key) do update set source = 'query'
               where parcel_scans.source = 'callback' and excluded.source = 'query'";
    let mut added = 0;
    for scan in scans {
        let done = sqlx::query(sql)
            .bind(parcel)
            .bind(&scan.key)
            .bind(&scan.code)
            .bind(meaning_text(scan.meaning))
            .bind(scan.occurred_at)
            .bind(now)
            .bind(&scan.place)
            .bind(keys.seal(&scan_cell("parcel_scans.text", parcel, &scan.key), scan.text.expose().as_bytes())?)
            .bind(source.as_str())
            .bind(keys.seal(&scan_cell("parcel_scans.raw", parcel, &scan.key), scan.raw.expose().as_bytes())?)
            .execute(&mut *conn)
            .await?;
        added += done.rows_affected();
    }
    Ok(added)
}

/// Removes the carrier's own text from up to `limit` scans that were received before an instant. Returns how many.
pub async fn forget_raw_scans(conn: &mut Conn, received_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "with old as materialized (
                   select parcel_id, scan_key from parcel_scans where raw_sealed is not null and received_at < $1
                   order by received_at limit $2 for update skip locked
               )
               update parcel_scans s set raw_sealed = null
               from old where s.parcel_id = old.parcel_id and s.scan_key = old.scan_key";
    Ok(sqlx::query(sql).bind(received_before).bind(limit).execute(conn).await?.rows_affected())
}

pub struct StoredScan {
    pub scan: Scan,
    /// True if the scan came in the carrier's response to our query. Otherwise it is only a hint from a callback.
    pub is_fact: bool,
}

/// Returns a parcel's scans, the oldest first. `raw` is left empty: the carrier's original text is stored, but no
/// screen shows it.
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
        waybill: Option<Waybill>,
    }
    let sql = "select s.scan_key, s.code, s.meaning, s.occurred_at, s.place, s.text_sealed, s.source, p.waybill
               from parcel_scans s join parcels p on p.id = s.parcel_id
               where s.parcel_id = $1 order by s.occurred_at, s.received_at, s.scan_key";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(parcel).fetch_all(conn).await?;
    let open = |row: Row| {
        let text = keys.open(&scan_cell("parcel_scans.text", parcel, &row.scan_key), &row.text_sealed)?;
        let scan = Scan {
            order_no: None,
            waybill: row.waybill.unwrap_or_else(|| Waybill::new("")),
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

/// The place of a parcel's sealed recipient.
pub(super) fn recipient_of(parcel: ParcelId) -> Cell {
    Cell::of("parcels.recipient", parcel.uuid())
}

fn scan_cell(column: &'static str, parcel: ParcelId, scan_key: &str) -> Cell {
    Cell::keyed(column, &[parcel.uuid().as_bytes(), scan_key.as_bytes()])
}

fn meaning_text(meaning: ScanMeaning) -> String {
    serde_json::to_value(meaning).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn meaning_of(text: &str) -> ScanMeaning {
    serde_json::from_value(serde_json::Value::from(text)).unwrap_or(ScanMeaning::Unchanged)
}
