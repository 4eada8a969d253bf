//! The digests of EMS's older interfaces: orders in XML (`iwaybillno-web`) and tracks (`querypush-twswn`). Songda does
//! not call them, but provincial posts still use them. This test shows a developer who connects such a post how the two
//! digests differ.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};

/// `data_digest` of an order: base64 of the MD5's sixteen bytes. The courier company YTO (圆通) and others compute it in
/// the same way.
fn data_digest(logistics_interface: &str, key: &str) -> String {
    BASE64_STANDARD.encode(Md5::digest(format!("{logistics_interface}{key}")))
}

/// `dataDigest` of a track: base64 of the MD5's hex text. It is computed before `msgBody` is URL-encoded.
fn track_digest(msg_body: &str, key: &str) -> String {
    BASE64_STANDARD.encode(hex::encode(Md5::digest(format!("{msg_body}{key}"))))
}

#[test]
fn the_vectors_hold() {
    let order = "<OrderNormal><logistics_order_no>GOV-1</logistics_order_no></OrderNormal>";
    assert_eq!(data_digest(order, "key123"), "JJxtUFIUuyuM9GYP2bEj4Q==");
    assert_eq!(data_digest("opentest", "123456"), "YLstCNa3x8ijQx16e/jqOA==");
    let track = r#"{"traceNo":"1234567890123"}"#;
    assert_eq!(track_digest(track, "key123"), "NzM2ODc3ZjhjMjUxMWNlZDYxZGNjNzMyYjdmMGNjMWQ=");
}
