use poem_openapi::Tags;

#[derive(Tags)]
pub enum OpsTag {
    /// 任务 · Jobs and their attempts
    Jobs,
    /// 通道 · Lanes and their waiting jobs
    Lanes,
}
