-- How residents, officers and back-office systems prove who they are.

create table sessions (
    id            uuid        primary key,
    audience      text        not null check (audience in ('mobile', 'staff')),
    subject_id    uuid        not null,                -- a person or an officer
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    ended_at      timestamptz,
    ended_because text,
    network       text,                                -- from which an officer signed in; null for residents
    client        text        check (length(client) <= 200) -- the officer's browser, as it names itself
);
create index sessions_open on sessions (subject_id) where ended_at is null;
-- Each process that serves the API asks every second which sessions have ended.
create index sessions_ended on sessions (ended_at) where ended_at is not null;
-- Housekeeping removes sessions that ended long ago.
create index sessions_over on sessions (coalesce(ended_at, expires_at));

-- Refresh tokens rotate: each is used at most once. Only hashes are stored. The successor of a token is derived from the
-- token and the hash key, so that a lost answer can be repeated without storing the successor.
create table refresh_tokens (
    token_hash  bytea       primary key,
    session_id  uuid        not null references sessions,
    created_at  timestamptz not null,
    used_at     timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

-- One-time codes sent by SMS. The limits per phone number count these rows.
create table login_codes (
    id            uuid        primary key,
    phone_hash    bytea       not null,
    phone_sealed  bytea       not null,
    code_sealed   bytea       not null,
    asked_from    bytea       not null,                -- keyed hash of the network that asked for the code
    other_tries   integer     not null default 0,      -- tries from all other networks together
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    used_at       timestamptz
);
-- The tries of a code by network, so that a stranger who guesses uses up the tries of one network only.
create table login_code_tries (
    code_id   uuid     not null references login_codes on delete cascade,
    network   bytea    not null,                       -- keyed hash
    tries     integer  not null default 1,
    constraint login_code_tries_pkey primary key (code_id, network)
);
create index login_codes_phone on login_codes (phone_hash, created_at desc);
create index login_codes_age on login_codes (created_at);

create table officers (
    id             uuid        primary key,
    username       text        not null unique check (username ~ '^[a-z0-9._-]{3,40}$'),
    name           text        not null,
    agency         text        not null,
    role           text        not null check (role in ('officer', 'supervisor', 'operator')),
    password_hash  text        not null,               -- argon2id, PHC string
    must_change_password boolean not null default false,
    wrong_passwords integer    not null default 0,     -- since wrong_since, from all networks together
    wrong_since    timestamptz,
    totp_sealed    bytea,                              -- the secret of the officer's authenticator app (RFC 6238)
    totp_since     timestamptz,
    totp_step      bigint,                             -- of the last code that was used: no code works twice
    totp_offered_sealed bytea,                         -- a secret that the officer's app has not confirmed yet
    wrong_codes    integer     not null default 0,     -- after a right password, since wrong_codes_since
    wrong_codes_since timestamptz,
    created_at     timestamptz not null,
    disabled_at    timestamptz,
    constraint officers_totp_iff check ((totp_sealed is null) = (totp_since is null))
);

-- Codes with which an officer signs in without the app. Each works once. Only keyed hashes are stored.
create table officer_recovery_codes (
    officer_id  uuid        not null references officers,
    code_hash   bytea       not null,
    used_at     timestamptz,
    constraint officer_recovery_codes_pkey primary key (officer_id, code_hash)
);

-- Sign-ins with a name from a network. Failures delay the next try from the same network only, so that a stranger cannot lock
-- an officer out from elsewhere. The name need not belong to an account, and is stored as its keyed hash.
create table officer_sign_ins (
    name_hash     bytea       not null,
    network       text        not null,                -- one IPv4 address, or a /64 of IPv6
    failures      integer     not null default 0 check (failures >= 0), -- since the last success
    failed_at     timestamptz,
    succeeded_at  timestamptz,
    changed_at    timestamptz not null,
    constraint officer_sign_ins_pkey primary key (name_hash, network)
);
-- Housekeeping removes what has no effect any more.
create index officer_sign_ins_age on officer_sign_ins (changed_at);
create index officer_sign_ins_failed on officer_sign_ins (changed_at) where succeeded_at is null;

-- Back-office systems that use the integration API.
create table api_clients (
    id           uuid        primary key,
    name         text        not null,
    source       text        not null unique check (source ~ '^[a-z0-9-]{2,40}$'), -- its name in /results/{source}/…
    agencies     text[]      not null,                 -- the agencies for which it may report decisions
    scopes       text[]      not null,
    public_keys  jsonb       not null,                 -- JWK set
    created_at   timestamptz not null,
    revoked_at   timestamptz
);

-- Client assertions (RFC 7523) that were used: each `jti` is accepted at most once.
create table used_assertions (
    client_id   uuid        not null references api_clients,
    jti         text        not null check (length(jti) <= 200),
    expires_at  timestamptz not null,
    constraint used_assertions_pkey primary key (client_id, jti)
);
create index used_assertions_expiry on used_assertions (expires_at);
