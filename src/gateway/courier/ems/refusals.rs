//! What EMS's refusals mean. No list of its `retCode`s is published, so its `retMsg` is read with a table of
//! patterns, which is a setting: an installation adds the words that its post office uses.
//!
//! One row is `kind=pattern`; rows are separated by `;` and tried from the top, each only for operations that its
//! kind can answer. What no row explains is unclear, which is never taken as "nothing happened".

use std::str::FromStr;

use regex::Regex;

use crate::gateway::courier::refusal::{Kind, Operation, Refusal};

/// The table without being set. Our own account comes first: "no such customer" must never be taken for "no such
/// order". The recipient's address comes last: its patterns are the broadest.
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
pub(super) struct Refusals(Vec<Row>);

#[derive(Clone)]
struct Row {
    kind: Kind,
    pattern: Regex,
}

impl Refusals {
    /// What a refusal means for an operation. Only the words that matched are kept of the message: the rest may
    /// repeat personal data.
    pub(super) fn explain(&self, operation: Operation, code: &str, message: &str) -> Refusal {
        let explained = self.0.iter().filter(|row| row.kind.suits(operation)).find_map(|row| {
            let words = row.pattern.find(message)?.as_str();
            Some(Refusal::new(row.kind, format!("{code}: {words}")))
        });
        explained
            .unwrap_or_else(|| Refusal::unclear(format!("{code}: words that SONGDA_EMS_REFUSALS does not explain")))
    }
}

impl FromStr for Refusals {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rows = text.split(';').map(str::trim).filter(|row| !row.is_empty());
        rows.map(|row| {
            let (kind, pattern) = row.split_once('=').ok_or(())?;
            Ok(Row { kind: kind_named(kind.trim()).ok_or(())?, pattern: Regex::new(pattern).map_err(|_| ())? })
        })
        .collect::<Result<_, ()>>()
        .map(Self)
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "misconfigured" => Kind::Misconfigured,
        "throttled" => Kind::Throttled { after: None },
        "unclear" => Kind::Unclear,
        "duplicate" => Kind::Duplicate,
        "cancelled" => Kind::Cancelled,
        "wrong_state" => Kind::WrongState,
        "absent" => Kind::Absent,
        "address_refused" => Kind::AddressRefused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean_for_the_operation() {
        let table: Refusals = DEFAULT.parse().unwrap();
        for (operation, message, kind) in [
            (Operation::Order, "订单号重复", Kind::Duplicate),
            (Operation::Order, "请求过于频繁,请勿重复提交", Kind::Throttled { after: None }),
            (Operation::Order, "授权码不存在", Kind::Misconfigured),
            (Operation::Order, "寄件人电话为空", Kind::Misconfigured),
            (Operation::Order, "收件人手机格式不正确", Kind::AddressRefused),
            (Operation::Order, "收件地址不存在", Kind::AddressRefused),
            (Operation::Order, "系统繁忙", Kind::Unclear),
            (Operation::Order, "订单已取消", Kind::Cancelled),
            (Operation::Order, "未知的话", Kind::Unclear),
            (Operation::Cancel, "订单不存在", Kind::Absent),
            (Operation::Cancel, "接口不存在", Kind::Misconfigured),
            (Operation::Cancel, "客户不存在", Kind::Misconfigured),
            (Operation::Cancel, "寄件人已取消订单", Kind::Cancelled),
            (Operation::Cancel, "南京市无此订单", Kind::Absent),
            (Operation::Cancel, "订单已取消", Kind::Cancelled),
            (Operation::Cancel, "邮件已收寄,不能取消", Kind::WrongState),
            (Operation::Cancel, "地址有误", Kind::Unclear),
            (Operation::Read, "查无轨迹", Kind::Absent),
            (Operation::Read, "无权限", Kind::Misconfigured),
        ] {
            assert_eq!(table.explain(operation, "1", message).kind, kind, "{operation:?} {message}");
        }
    }

    #[test]
    fn personal_data_stays_out() {
        let table: Refusals = DEFAULT.parse().unwrap();
        let refusal = table.explain(Operation::Order, "B01", "张三的手机13800000002不正确");
        assert_eq!(refusal.detail, "B01: 手机");
    }

    #[test]
    fn a_wrong_table_is_refused() {
        assert!("absent=不存在; throttled=太快".parse::<Refusals>().is_ok());
        for wrong in ["absent", "missing=不存在", "absent=("] {
            assert!(wrong.parse::<Refusals>().is_err(), "{wrong}");
        }
    }
}
