-- People (residents), and the addresses and devices at which they are reached.
--
-- A column *_sealed contains ciphertext (AES-256-GCM, with a key of the key ring). A column *_hash contains a keyed hash
-- (HMAC-SHA-256) by which a sealed value is found.

-- A person exists before the first sign-in if a back-office system reports a decision for them. If the report names a phone
-- alone, the owner of that phone is meant: `phone_hash` is set, and the person signs in with the phone. If the report names
-- a resident ID, the person who proves that ID is meant: `resident_id_hash` is set before `verified_at`. Messages go to the
-- phone that was reported with the ID. It has no `phone_hash`, so it cannot be used to sign in.
create table people (
    id                  uuid        primary key,
    phone_sealed        bytea,
    phone_hash          bytea       unique,
    name_sealed         bytea,
    resident_id_sealed  bytea,
    resident_id_hash    bytea       unique,
    verified_at         timestamptz,                   -- 实名认证: name and resident ID were confirmed to belong together
    language            text        not null default 'zh-CN',
    created_at          timestamptz not null,
    signed_in_at        timestamptz,                   -- first sign-in; null while only other systems named the person
    constraint people_verified_iff check
        ((verified_at is null) = (resident_id_sealed is null) and (verified_at is null) = (name_sealed is null))
);

-- Housekeeping forgets phone and resident ID of people who never came.
create index people_unseen on people (created_at)
    where signed_in_at is null and (phone_hash is not null or resident_id_hash is not null);

-- Accounts that were joined with another account of the same person. Histories keep the old id, and a reader finds the new
-- id here.
create table joined_people (
    person_id  uuid        primary key,                -- the account that was dissolved
    into_id    uuid        not null,
    at         timestamptz not null
);
create index joined_people_into on joined_people (into_id);

-- Real-name checks that a person requested. A check is removed when it succeeds. The limits per person count the rows.
create table identity_tries (
    id         uuid        primary key,
    person_id  uuid        not null references people,
    at         timestamptz not null
);
create index identity_tries_person on identity_tries (person_id, at desc);
create index identity_tries_age on identity_tries (at);

-- A WeChat account is identified by (appid, openid).
create table wechat_accounts (
    person_id      uuid        not null references people,
    appid          text        not null,
    openid_hash    bytea       not null,
    openid_sealed  bytea       not null,
    gone_at        timestamptz,                        -- when the gateway reported that messages no longer reach it
    created_at     timestamptz not null,
    constraint wechat_accounts_pkey primary key (appid, openid_hash)
);
create index wechat_accounts_person on wechat_accounts (person_id);
-- WeChat reports the answer to a consent dialog by openid alone. The primary key begins with the appid, so it cannot
-- serve for the look-up.
create index wechat_accounts_openid on wechat_accounts (openid_hash);

-- An installation of a client, as each person who signed in there described it. The client chooses the id, so the id proves
-- nothing: a person changes only rows of their own. Only the phone itself knows its push token. So the person who registers
-- a token last has it, and every other row loses it.
create table devices (
    person_id         uuid        not null references people,
    installation_id   uuid        not null,
    platform          text        not null,
    push_channel      text,
    push_token_sealed bytea,
    push_token_hash   bytea,
    app_version       text        not null default '',
    os_version        text        not null default '',
    language          text        not null default 'zh-CN',
    push_permission   text        not null default 'unknown',
    version           bigint      not null default 1,
    last_seen_at      timestamptz not null,
    constraint devices_pkey primary key (person_id, installation_id),
    constraint devices_push_token_iff check ((push_token_sealed is null) = (push_token_hash is null))
);
create index devices_push_token on devices (push_token_hash) where push_token_hash is not null;

create table addresses (
    id           uuid        primary key,
    person_id    uuid        not null references people,
    region       text        not null,
    sealed       bytea       not null,                 -- PostalAddress as JSON
    is_default   boolean     not null default false,
    version      bigint      not null default 1,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);
create index addresses_person on addresses (person_id);
create unique index addresses_one_default on addresses (person_id) where is_default;
