//! Settings of a test's processes, as name and value.

use songda::demo::fresh_key;

use super::database::Database;
use super::folder::Folder;
use super::process::songda;

pub type Settings = Vec<(String, String)>;

/// Short leases, and short time-outs of gateways, for tests in which a lease or a time-out must end. If they were even
/// shorter, tests would fail: another test installation that opens on the same thread can delay an answer by nearly a
/// second.
pub const QUICK: [(&str, &str); 12] = [
    ("SONGDA_LEASE", "8s"),
    ("SONGDA_ATTEMPT_TIMEOUT", "6s"),
    ("SONGDA_WECHAT_TIMEOUT", "2s"),
    ("SONGDA_SMS_ALIYUN_TIMEOUT", "2s"),
    ("SONGDA_EMS_TIMEOUT", "2s"),
    ("SONGDA_SF_TIMEOUT", "2s"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
    ("SONGDA_ABSENT_FOR", "1s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "1s"),
    ("SONGDA_RECEIPT_WITHIN", "3s"),
    ("SONGDA_CONFIRM_WITHIN", "5s"),
    ("SONGDA_RETRY_FIRST", "100ms"),
];

/// Rate limits that no test reaches.
pub const UNLIMITED: [(&str, &str); 9] = [
    ("SONGDA_RATE_SIGN_IN", "1000000"),
    ("SONGDA_RATE_MOBILE", "1000000"),
    ("SONGDA_RATE_STAFF", "1000000"),
    ("SONGDA_RATE_INTEGRATION", "1000000"),
    ("SONGDA_RATE_CALLBACKS", "1000000"),
    ("SONGDA_CODES_PER_IPV4_NETWORK", "1000000"),
    ("SONGDA_CODES_PER_DAY", "1000000"),
    ("SONGDA_IDENTITY_CHECKS_PER_IPV4_NETWORK", "1000000"),
    ("SONGDA_IDENTITY_CHECKS_PER_DAY", "1000000"),
];

pub fn owned(settings: &[(&str, &str)]) -> Settings {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Returns settings for a database, Redis with a fresh prefix, fresh keys and an uploads folder.
pub async fn desk_settings(database: &Database, folder: &Folder) -> Settings {
    let prefix = format!("it:{}:", fresh_key());
    let keys = folder.path_of("keys");
    songda(&["keys", "init", &keys], &[]).await;
    owned(&[
        ("SONGDA_DATABASE_URL", &database.url),
        ("SONGDA_REDIS_URL", database.servers.redis()),
        ("SONGDA_REDIS_PREFIX", &prefix),
        ("SONGDA_KEYS", &keys),
        ("SONGDA_UPLOADS", &folder.path_of("uploads")),
    ])
}
