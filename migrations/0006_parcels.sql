-- Parcels (寄递), their scans, and the callbacks of carriers and platforms.

create table parcels (
    id                uuid        primary key,
    person_id         uuid        not null references people,
    case_id           uuid        not null references cases,
    agency            text        not null,            -- 所属部门: the agency of the case; it never changes
    carrier           text        not null,
    order_no          text        not null,
    round             integer     not null default 1,
    waybill           text,
    state             text        not null,
    recipient_sealed  bytea       not null,
    -- 行政许可法 44: ten working days after the decision. Null if the working days of that year are not announced yet. The
    -- parcel is sent nevertheless.
    serve_by          date,
    -- When the carrier is asked about the parcel, or was last asked, because of a hint: a callback that nothing proves. Such
    -- looks are planned at least a minute apart.
    look_at           timestamptz,
    look_open         boolean     not null default false, -- true from a hint until the carrier was asked
    version           bigint      not null default 1,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    constraint parcels_look_iff check (look_at is not null or not look_open),
    constraint parcels_order_no unique (carrier, order_no)
);
-- Not unique: carriers reuse waybill numbers after some years.
create index parcels_waybill on parcels (carrier, waybill);
create index parcels_case on parcels (case_id);
create index parcels_person on parcels (person_id, id desc);
-- An agency's parcels in one state, in the order in which they must arrive. A statement reads a page from its position in
-- this index.
create index parcels_to_serve on parcels (agency, state, coalesce(serve_by, 'infinity'::date), id);

create table parcel_scans (
    parcel_id     uuid        not null references parcels,
    scan_key      text        not null,
    code          text        not null,
    meaning       text        not null,
    occurred_at   timestamptz not null,
    received_at   timestamptz not null,
    place         text        not null,
    text_sealed   bytea       not null,
    source        text        not null check (source in ('callback', 'query')),
    raw_sealed    bytea,                               -- the whole scan as the carrier sent it; null once it is old
    constraint parcel_scans_pkey primary key (parcel_id, scan_key)
);
-- Housekeeping removes the carriers' texts from old scans.
create index parcel_scans_raw on parcel_scans (received_at) where raw_sealed is not null;

-- Calls of carriers and platforms. The API stores an authentic call as it came and then acknowledges it. A job reads it later.
-- Of gateways that sign nothing, only a channel's calls about messages of ours are stored.
create table callbacks (
    id             uuid        primary key,
    origin         text        not null,               -- 'ems', 'sf', 'wechat', 'sms_aliyun'
    dedup_key      bytea       not null,               -- SHA-256 of origin, query and body
    content_type   text        not null,
    query          text        not null,               -- not sealed, so personal data is removed first
    body_sealed    bytea       not null,
    received_at    timestamptz not null,
    outcome        text,
    constraint callbacks_once unique (dedup_key)
);
-- Housekeeping removes old calls.
create index callbacks_age on callbacks (received_at);
