-- Notifications (通知), the consents that gateways ask for, and the log of changes that a person's clients follow.

create table notifications (
    id           uuid        primary key,
    person_id    uuid        not null references people,
    case_id      uuid        not null references cases,
    case_number  text        not null,
    event        text        not null,
    parcel_id    uuid,                                 -- the parcel that the event is about, if any: a case can have several
    item_zh      text        not null,
    item_en      text        not null,
    created_at   timestamptz not null,
    read_at      timestamptz,
    delivered_by text,                                 -- the channel that delivered it to the phone
    delivered_at timestamptz
);
create index notifications_person on notifications (person_id, id desc);
create index notifications_case on notifications (case_id);
create index notifications_unread on notifications (person_id) where read_at is null;

-- The consents of each person: an estimate of how many messages of a template the person still accepts. Only the gateway
-- knows the true number.
--
-- Both the client and the platform report an accepted dialog, in any order. It counts once (domain::notice::consent).
create table consents (
    person_id    uuid        not null references people,
    channel      text        not null,
    template     text        not null,
    balance      integer     not null default 0 check (balance >= 0),
    lasting      boolean     not null default false,   -- a long-term template: sending does not use it up
    refused_at   timestamptz,
    unmatched    integer     not null default 0,       -- accepts reported only by the client (> 0) or the platform (< 0)
    heard_at     timestamptz,                          -- time of the newest act that the platform reported
    updated_at   timestamptz not null,
    constraint consents_pkey primary key (person_id, channel, template)
);

-- Consents that are reserved for jobs. A consent is used up if the job's message may have arrived, and given back if it
-- surely did not arrive.
create table consent_holds (
    job_id      uuid primary key,
    person_id   uuid not null,
    channel     text not null,
    template    text not null
);

-- Receipts for messages, from gateways that do not repeat our key in a receipt (WeChat's sent events). They help to decide
-- about a push whose outcome is unknown.
create table push_receipts (
    channel      text        not null,
    reference    text        not null,                 -- the gateway's id of the message
    recipient    text        not null,                 -- keyed hash of the address
    template     text        not null,
    fate         text        not null check (fate in ('arrived', 'refused', 'lost')),
    happened_at  timestamptz not null,                 -- by the gateway's clock
    heard_at     timestamptz not null,
    constraint push_receipts_pkey primary key (channel, reference)
);
create index push_receipts_of on push_receipts (channel, recipient, template, happened_at);
create index push_receipts_age on push_receipts (heard_at);

-- The log of changes that a person's clients follow. The numbers rise in the order of commits, because each transaction
-- takes the person's advisory lock before it draws a number (store::changes).
create table changes (
    person_id   uuid   not null,
    seq         bigint generated always as identity,
    kind        text   not null,                       -- 'case', 'notification', 'parcel', 'draft', 'all'
    subject     text   not null,                       -- the public id; empty for 'all'
    at          timestamptz not null,
    constraint changes_pkey primary key (person_id, seq)
);
-- Housekeeping removes old changes, and leaves one of kind 'all' in the place of the last that it removed from a person's
-- log. A client that reads on from an earlier place finds it, and reads everything again.
create index changes_age on changes (at) where kind <> 'all';
