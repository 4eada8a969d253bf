-- Drafts, uploads, cases and their history.

create table drafts (
    id            uuid        primary key,             -- made by the client
    person_id     uuid        not null references people,
    item_code     text        not null,
    item_version  integer     not null,
    sealed        bytea       not null,                -- form, materials and delivery choice as JSON
    version       bigint      not null default 1,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    submitted_as  uuid,                                -- the case that it became
    constraint drafts_item foreign key (item_code, item_version) references item_versions (code, version)
);
create index drafts_open on drafts (person_id, updated_at desc) where submitted_as is null;

create table uploads (
    id            uuid        primary key,
    person_id     uuid        not null references people,
    content_type  text        not null,
    size          bigint      not null check (size > 0),
    sha256        bytea       not null,
    name_sealed   bytea       not null,                -- the file's name may say who somebody is
    object_path   text        not null,
    created_at    timestamptz not null
);
create index uploads_person on uploads (person_id, created_at desc);

-- Case numbers count within a day.
create table case_counters (
    day   date    primary key,
    last  integer not null
);

create table cases (
    id               uuid        primary key,
    number           text        not null unique,
    person_id        uuid        not null references people,
    item_code        text        not null,
    item_version     integer     not null,
    agency           text        not null,
    source           text        not null default 'mobile',  -- 'mobile', or the back-office system that owns it
    source_ref       text,
    state            text        not null check (state in
                         ('submitted', 'supplement_noticed', 'accepted', 'granted', 'denied', 'withdrawn')),
    detail           jsonb       not null,             -- what belongs to the state: who, when, why
    delivery         jsonb       not null,             -- electronic | courier | counter
    application      bytea       not null,             -- the sealed, immutable snapshot: form and materials
    recipient_sealed bytea,                            -- PostalAddress, where the delivery is by courier
    version          bigint      not null default 1,
    due_on           date,                             -- the officer's next due date; null when nothing is owed
    submitted_at     timestamptz not null,
    updated_at       timestamptz not null,
    constraint cases_source_ref unique (source, source_ref),
    constraint cases_item foreign key (item_code, item_version) references item_versions (code, version)
);
create index cases_person on cases (person_id, submitted_at desc, id);
create index cases_queue on cases (agency, due_on, id) where state in ('submitted', 'supplement_noticed', 'accepted');

-- The answer to the one supplement notice; the application itself never changes.
create table case_supplements (
    case_id  uuid        primary key references cases,
    sealed   bytea       not null,
    at       timestamptz not null
);

-- Append-only: a trigger refuses what would change the past.
create table case_history (
    id        uuid        primary key,
    case_id   uuid        not null references cases,
    at        timestamptz not null,
    actor     text        not null,                    -- 'person:per_…', 'officer:ofc_…', 'client:cli_…', 'carrier:ems', 'system'
    act       text        not null,
    cause     jsonb       not null default '{}'
);
create index case_history_case on case_history (case_id, id);
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the history of a case is append-only' using errcode = 'restrict_violation';
end $$;
create trigger case_history_append_only before update or delete on case_history
    for each row execute function refuse_change();
