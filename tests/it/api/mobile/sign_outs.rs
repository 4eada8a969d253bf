//! A resident signs out: here, and everywhere.

use serde_json::json;
use songda::demo::fresh_key;
use songda::demo::http::Reply;

use crate::support::acts::refused;
use crate::support::desk::Desk;

#[tokio::test]
async fn whoever_signs_out_is_signed_in_elsewhere_until_they_sign_out_everywhere() {
    let desk = Desk::open_idle(&[]).await;
    let someone = fresh_key();
    let sign_in = async |on: &str| {
        let code = json!({"code": format!("wx-{someone}.{on}")});
        desk.api.post("/v1/sessions/wechat").json(&code).success().await.unwrap()
    };
    let refresh = async |session: &Reply| {
        let token = json!({"refresh_token": session.text("/refresh_token").unwrap()});
        desk.api.post("/v1/sessions/refresh").json(&token).answer().await.unwrap()
    };
    let sign_out = async |session: &Reply, of: &str| {
        let caller = desk.api.with_token(session.text("/access_token").unwrap());
        caller.delete(of).success().await.unwrap();
    };
    let (phone, tablet, watch) = (sign_in("phone").await, sign_in("tablet").await, sign_in("watch").await);

    sign_out(&phone, "/v1/sessions/current").await;
    refused(&refresh(&phone).await, 401, "refresh_token_invalid");
    let tablet = refresh(&tablet).await;
    assert_eq!(tablet.status.as_u16(), 200, "{}", tablet.body);

    sign_out(&tablet, "/v1/sessions").await;
    for session in [&tablet, &watch] {
        refused(&refresh(session).await, 401, "refresh_token_invalid");
    }
    desk.close().await;
}
