-- Notifications, parcels, and what gateways told us.

create table notifications (
    id           uuid        primary key,
    person_id    uuid        not null references people,
    case_id      uuid        not null references cases,
    case_number  text        not null,
    event        text        not null,
    item_zh      text        not null,
    item_en      text        not null,
    created_at   timestamptz not null,
    read_at      timestamptz,
    delivered_by text,                                 -- the channel that brought it to the phone
    delivered_at timestamptz
);
create index notifications_person on notifications (person_id, id desc);
create index notifications_case on notifications (case_id);
create index notifications_unread on notifications (person_id) where read_at is null;

create table parcels (
    id                uuid        primary key,
    person_id         uuid        not null references people,
    case_id           uuid        not null references cases,
    carrier           text        not null,
    order_no          text        not null,
    round             integer     not null default 1,
    waybill           text,
    state             text        not null,
    recipient_sealed  bytea       not null,
    serve_by          date        not null,            -- 行政许可法 44: ten working days after the decision
    version           bigint      not null default 1,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    constraint parcels_order_no unique (carrier, order_no)
);
-- Not unique: carriers use numbers again after some years.
create index parcels_waybill on parcels (carrier, waybill);
create index parcels_case on parcels (case_id);
create index parcels_person on parcels (person_id, id desc);

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
    constraint parcel_scans_pkey primary key (parcel_id, scan_key)
);

-- Calls of carriers and platforms, stored as they came before they are answered.
create table callbacks (
    id             uuid        primary key,
    origin         text        not null,               -- 'ems', 'sf', 'wechat', 'sms_aliyun'
    dedup_key      bytea       not null,               -- SHA-256 of origin, query and body
    content_type   text        not null,
    query          text        not null,
    body_sealed    bytea       not null,
    received_at    timestamptz not null,
    outcome        text,
    constraint callbacks_once unique (dedup_key)
);

-- What a person's clients should look at again, numbered in the order of commits (store::changes takes the
-- person's advisory lock before it draws a number).
create table changes (
    person_id   uuid   not null,
    seq         bigint generated always as identity,
    kind        text   not null,                       -- 'case', 'notification', 'parcel', 'draft'
    subject     text   not null,                       -- the public id
    at          timestamptz not null,
    constraint changes_pkey primary key (person_id, seq)
);
