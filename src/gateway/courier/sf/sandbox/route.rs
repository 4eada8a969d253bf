//! The route of a simulated parcel: all its scans in their order.

use crate::sandbox::parcels::Station;

pub(super) const NAME: &str = "sf";

pub(super) const ROUTE: &[Station] = &[
    ("50", "顺丰速运 已收取快件"),
    ("36", "快件在运输途中"),
    ("31", "快件到达中转场"),
    ("44", "快件到达派送网点,正在分配快递员"),
    ("204", "快递员正在派送途中"),
    ("80", "已签收,感谢使用顺丰"),
    ("8000", "在官网可查看签收人信息"),
];
