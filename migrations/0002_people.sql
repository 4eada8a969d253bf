-- People, officers and API clients; how they sign in and how they are reached.
--
-- Columns named *_sealed hold AES-256-GCM ciphertext under the key ring; *_hash hold a keyed hash (HMAC-SHA-256),
-- by which a sealed value is found.

create table people (
    id                  uuid        primary key,
    phone_sealed        bytea,
    phone_hash          bytea       unique,
    name_sealed         bytea,
    resident_id_sealed  bytea,
    resident_id_hash    bytea       unique,
    verified_at         timestamptz,                   -- 实名认证: name and resident ID belong together
    language            text        not null default 'zh-CN',
    created_at          timestamptz not null,
    constraint people_verified_iff check
        ((verified_at is null) = (resident_id_sealed is null) and (verified_at is null) = (name_sealed is null))
);

-- A WeChat account is (appid, openid).
create table wechat_accounts (
    person_id      uuid        not null references people,
    appid          text        not null,
    openid_hash    bytea       not null,
    openid_sealed  bytea       not null,
    gone_at        timestamptz,                        -- the gateway said that it reaches nobody
    created_at     timestamptz not null,
    constraint wechat_accounts_pkey primary key (appid, openid_hash)
);
create index wechat_accounts_person on wechat_accounts (person_id);

create table sessions (
    id            uuid        primary key,
    audience      text        not null check (audience in ('mobile', 'staff')),
    subject_id    uuid        not null,                -- a person or an officer
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    ended_at      timestamptz,
    ended_because text
);
create index sessions_open on sessions (subject_id) where ended_at is null;

-- Refresh tokens rotate: each is used once. `successor_sealed` lets a lost answer be repeated within the grace window.
create table refresh_tokens (
    token_hash        bytea       primary key,
    session_id        uuid        not null references sessions,
    created_at        timestamptz not null,
    used_at           timestamptz,
    successor_sealed  bytea
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table login_codes (
    id            uuid        primary key,
    phone_hash    bytea       not null,
    phone_sealed  bytea       not null,
    code_sealed   bytea       not null,
    tries         integer     not null default 0,
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    used_at       timestamptz
);
create index login_codes_phone on login_codes (phone_hash, created_at desc);

create table devices (
    installation_id  uuid        primary key,
    person_id        uuid        not null references people,
    platform         text        not null,
    push_channel     text,
    push_token_sealed bytea,
    app_version      text        not null default '',
    os_version       text        not null default '',
    language         text        not null default 'zh-CN',
    push_permission  text        not null default 'unknown',
    version          bigint      not null default 1,
    last_seen_at     timestamptz not null
);
create index devices_person on devices (person_id);

-- The consent ledger: an estimate of how many messages of a template a person still wants. The gateway is the judge.
create table consents (
    person_id    uuid        not null references people,
    channel      text        not null,
    template     text        not null,
    balance      integer     not null default 0 check (balance >= 0),
    lasting      boolean     not null default false,   -- a long-term template, not used up
    refused_at   timestamptz,
    updated_at   timestamptz not null,
    constraint consents_pkey primary key (person_id, channel, template)
);
-- A consent that an attempt under way holds: consumed when it was delivered, given back when it surely was not.
create table consent_holds (
    job_id      uuid primary key,
    person_id   uuid not null,
    channel     text not null,
    template    text not null
);

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

create table officers (
    id             uuid        primary key,
    username       text        not null unique check (username ~ '^[a-z0-9._-]{3,40}$'),
    name           text        not null,
    agency         text        not null,
    role           text        not null check (role in ('officer', 'supervisor', 'operator')),
    password_hash  text        not null,               -- argon2id, PHC string
    failures       integer     not null default 0,
    locked_until   timestamptz,
    created_at     timestamptz not null,
    disabled_at    timestamptz
);

create table api_clients (
    id           uuid        primary key,
    name         text        not null,
    source       text        not null unique check (source ~ '^[a-z0-9-]{2,40}$'), -- its name in /results/{source}/…
    agencies     text[]      not null,                 -- for which it may decide
    scopes       text[]      not null,
    public_keys  jsonb       not null,                 -- JWK set
    created_at   timestamptz not null,
    revoked_at   timestamptz
);
-- Assertions (RFC 7523) that were used: each `jti` counts once.
create table used_assertions (
    client_id   uuid        not null references api_clients,
    jti         text        not null check (length(jti) <= 200),
    expires_at  timestamptz not null,
    constraint used_assertions_pkey primary key (client_id, jti)
);
create index used_assertions_expiry on used_assertions (expires_at);
