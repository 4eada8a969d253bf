//! The routes of simulated parcels, and EMS's JSON for one scan. A route lists all scans of a parcel in their order.

use serde_json::{Value, json};

use crate::sandbox::parcels::{BookedParcel, Station, StationScan};
use crate::sandbox::written_time::second;

pub(super) const NAME: &str = "ems";

pub(super) const ROUTE: &[Station] = &[
    ("203", "已收寄"),
    ("345", "离开收寄局"),
    ("389", "到达处理中心"),
    ("954", "离开处理中心"),
    ("305", "到达寄达地处理中心"),
    ("306", "离开寄达地处理中心"),
    ("702", "投递员正在派件"),
    ("704", "已妥投,本人签收"),
];

pub(super) const ROUTE_WITH_NOBODY_HOME: &[Station] = &[
    ROUTE[0],
    ROUTE[1],
    ROUTE[2],
    ROUTE[3],
    ROUTE[4],
    ROUTE[5],
    ROUTE[6],
    ("705", "未妥投,收件人不在,择日再投"),
    ("702", "投递员再次派件"),
    ROUTE[7],
];

pub(super) fn trace(parcel: &BookedParcel, scan: &StationScan) -> Value {
    json!({
        "waybillNo": parcel.waybill, "opCode": scan.code, "opName": scan.text,
        "opDesc": format!("{} {}", scan.place, scan.text), "opTime": second(scan.at),
        "opOrgCode": "21320000", "opOrgName": "沙箱营业部", "opOrgProvName": "江苏省", "opOrgCity": scan.place,
        "operatorNo": "0001", "operatorName": "沙箱投递员",
    })
}
