//! The meaning of EMS's refusals. EMS publishes no list of its `retCode`s, so a table of patterns explains its
//! `retMsg`. The table is a setting, because post offices use different words.
//!
//! A row is `kind=pattern`. Rows are separated by `;` and tried from the top. A message that matches no row counts as
//! unclear: EMS may have carried out the request.

use std::str::FromStr;

use regex::Regex;

use crate::gateway::courier::refusal::{CarrierRefusal, Operation, RefusalKind};

/// The default table. The order matters. The patterns for faults of our account come first, so that "no such customer"
/// is not taken for "no such order". The patterns for faults of the address come last, because they are the broadest.
pub(super) const DEFAULT: &str = "\
misconfigured=授权|签名|解密|密钥|无权限|接口|协议客户|(客户|用户|账号)不存在|(寄件|发件).*(空|误|不正确|格式);\
throttled=频繁|限流;\
unclear=系统|超时;\
duplicate=重复|已存在;\
cancelled=已取消|已撤销|已作废;\
wrong_state=已收寄|已揽收|不能取消|无法取消|不允许取消;\
absent=不存在|无此|未找到|没有找到|查无|^无;\
address_refused=地址|省|市|县|电话|手机|姓名|超范围";

#[derive(Clone)]
pub(super) struct Refusals(Vec<(RefusalKind, Regex)>);

impl Refusals {
    /// Explains a message by the first row of the table whose pattern matches and whose kind is possible for the
    /// operation. The result repeats only the matched words, because the rest of the message may contain personal data.
    pub(super) fn explain(&self, operation: Operation, code: &str, message: &str) -> CarrierRefusal {
        let explained = self.0.iter().filter(|(kind, _)| kind.suits(operation)).find_map(|(kind, pattern)| {
            let words = pattern.find(message)?.as_str();
            Some(CarrierRefusal::new(*kind, format!("{code}: {words}")))
        });
        explained.unwrap_or_else(|| {
            CarrierRefusal::unclear(format!("{code}: words that SONGDA_EMS_REFUSALS does not explain"))
        })
    }
}

impl FromStr for Refusals {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rows = text.split(';').map(str::trim).filter(|row| !row.is_empty());
        rows.map(|row| {
            let (kind, pattern) = row.split_once('=').ok_or(())?;
            Ok((kind_named(kind.trim()).ok_or(())?, Regex::new(pattern).map_err(drop)?))
        })
        .collect::<Result<_, ()>>()
        .map(Self)
    }
}

fn kind_named(name: &str) -> Option<RefusalKind> {
    Some(match name {
        "misconfigured" => RefusalKind::Misconfigured,
        "throttled" => RefusalKind::Throttled { after: None },
        "unclear" => RefusalKind::Unclear,
        "duplicate" => RefusalKind::Duplicate,
        "cancelled" => RefusalKind::Cancelled,
        "wrong_state" => RefusalKind::WrongState,
        "absent" => RefusalKind::Absent,
        "address_refused" => RefusalKind::AddressRefused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_has_its_meaning_for_the_operation() {
        let table: Refusals = DEFAULT.parse().unwrap();
        for (operation, message, kind) in [
            (Operation::Order, "订单号重复", RefusalKind::Duplicate),
            (Operation::Order, "请求过于频繁,请勿重复提交", RefusalKind::Throttled { after: None }),
            (Operation::Order, "授权码不存在", RefusalKind::Misconfigured),
            (Operation::Order, "寄件人电话为空", RefusalKind::Misconfigured),
            (Operation::Order, "收件人手机格式不正确", RefusalKind::AddressRefused),
            (Operation::Order, "收件地址不存在", RefusalKind::AddressRefused),
            (Operation::Order, "系统繁忙", RefusalKind::Unclear),
            (Operation::Order, "订单已取消", RefusalKind::Cancelled),
            (Operation::Order, "未知的话", RefusalKind::Unclear),
            (Operation::Cancel, "订单不存在", RefusalKind::Absent),
            (Operation::Cancel, "接口不存在", RefusalKind::Misconfigured),
            (Operation::Cancel, "客户不存在", RefusalKind::Misconfigured),
            (Operation::Cancel, "寄件人已取消订单", RefusalKind::Cancelled),
            (Operation::Cancel, "南京市无此订单", RefusalKind::Absent),
            (Operation::Cancel, "订单已取消", RefusalKind::Cancelled),
            (Operation::Cancel, "邮件已收寄,不能取消", RefusalKind::WrongState),
            (Operation::Cancel, "地址有误", RefusalKind::Unclear),
            (Operation::Read, "查无轨迹", RefusalKind::Absent),
            (Operation::Read, "无权限", RefusalKind::Misconfigured),
        ] {
            assert_eq!(table.explain(operation, "1", message).kind, kind, "{operation:?} {message}");
        }
    }

    #[test]
    fn personal_data_is_not_kept() {
        let table: Refusals = DEFAULT.parse().unwrap();
        let refusal = table.explain(Operation::Order, "B01", "张三的手机13800000002不正确");
        assert_eq!(refusal.detail, "B01: 手机");
    }

    #[test]
    fn an_invalid_table_is_refused() {
        assert!("absent=不存在; throttled=太快".parse::<Refusals>().is_ok());
        for wrong in ["absent", "missing=不存在", "absent=("] {
            assert!(wrong.parse::<Refusals>().is_err(), "{wrong}");
        }
    }
}
