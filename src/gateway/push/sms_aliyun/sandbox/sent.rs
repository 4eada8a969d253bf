//! A message that the service accepted.

use crate::domain::kernel::clock::Instant;

pub(super) const NAME: &str = "sms_aliyun";

#[derive(Clone)]
pub(super) struct AcceptedSms {
    pub(super) phone: String,
    pub(super) template: String,
    pub(super) content: String,
    pub(super) out_id: String,
    pub(super) biz_id: String,
    pub(super) arrived: bool,
    pub(super) at: Instant,
}

impl AcceptedSms {
    pub(super) const fn code(&self) -> &'static str {
        if self.arrived { "DELIVERED" } else { "USER_REJECT" }
    }
}
