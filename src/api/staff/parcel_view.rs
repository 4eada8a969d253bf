//! A parcel as officers read it: in the carrier's words, and without the recipient, who is in the case.

use chrono::NaiveDate;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::edge::{EXAMPLE, example};
use crate::casework::read_models::StoredParcel;
use crate::domain::delivery::parcel::{ParcelState, Scan, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId};

/// 寄递。 A parcel.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Parcel", example, skip_serializing_if_is_none)]
pub(super) struct ParcelBody {
    pub id: ParcelId,
    /// The case whose result the parcel carries.
    pub case: CaseId,
    /// 承运商: the carrier's code.
    pub carrier: String,
    /// 运单号; absent until the carrier assigns one.
    pub waybill: Option<String>,
    pub state: ParcelStateWord,
    /// The last day for its arrival (行政许可法 44). Absent if the working days until then are not announced.
    pub serve_by: Option<NaiveDate>,
}

/// 寄递详情。 A parcel with its scans.
#[derive(Debug, Clone, Object)]
#[oai(rename = "ParcelWithWay", example, skip_serializing_if_is_none)]
pub(super) struct ParcelWithWayBody {
    #[oai(flatten)]
    parcel: ParcelBody,
    /// Oldest first.
    scans: Vec<ScanBody>,
}

/// 物流轨迹。 One scan of a parcel.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Scan")]
pub(super) struct ScanBody {
    /// By the carrier's clock.
    pub at: Instant,
    pub state: ScanWord,
    /// The place, in the carrier's words.
    pub place: String,
    /// The event, in the carrier's words.
    pub text: String,
}

/// 寄递状态。 The state of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ParcelState", rename_all = "snake_case", remote = "ParcelState")]
pub enum ParcelStateWord {
    /// 待下单
    Pending,
    /// 已下单
    Ordered,
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取
    ReadyForPickup,
    /// 异常
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// 地址被拒
    AddressRefused,
}

/// 轨迹含义。 The meaning of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ScanState", rename_all = "snake_case", remote = "ScanMeaning")]
pub enum ScanWord {
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取
    ReadyForPickup,
    /// 异常
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// 其他: the state does not change.
    Unchanged,
}

impl ParcelWithWayBody {
    pub fn of(stored: &StoredParcel, way: &[Scan]) -> Self {
        Self { parcel: stored.into(), scans: way.iter().map(ScanBody::from).collect() }
    }
}

impl From<&StoredParcel> for ParcelBody {
    fn from(stored: &StoredParcel) -> Self {
        let parcel = &stored.parcel;
        Self {
            id: parcel.id,
            case: parcel.case,
            carrier: parcel.carrier.to_string(),
            waybill: parcel.waybill.as_ref().map(ToString::to_string),
            state: parcel.state.into(),
            serve_by: stored.serve_by,
        }
    }
}

impl From<&Scan> for ScanBody {
    fn from(scan: &Scan) -> Self {
        Self {
            at: scan.occurred_at,
            state: scan.meaning.into(),
            place: scan.place.clone(),
            text: scan.text.expose().clone(),
        }
    }
}

impl Example for ParcelWithWayBody {
    fn example() -> Self {
        let scan = ScanBody {
            at: Instant::UNIX_EPOCH + chrono::TimeDelta::hours(498_840),
            state: ScanWord::PickedUp,
            place: "常州市".to_owned(),
            text: "已收寄".to_owned(),
        };
        Self { parcel: ParcelBody::example(), scans: vec![scan] }
    }
}

example!(ParcelBody {
    id: ParcelId::from_uuid(EXAMPLE),
    case: CaseId::from_uuid(EXAMPLE),
    carrier: "ems".to_owned(),
    waybill: Some("1200000000001".to_owned()),
    state: ParcelStateWord::PickedUp,
    serve_by: NaiveDate::from_ymd_opt(2026, 12, 8),
});
