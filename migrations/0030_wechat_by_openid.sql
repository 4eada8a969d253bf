-- no-transaction
-- Whose answer in a dialog it is: WeChat names the openid alone, so that the key, which begins with the appid, was read whole.
create index concurrently wechat_accounts_openid on wechat_accounts (openid_hash);
