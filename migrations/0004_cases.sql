-- Drafts (草稿), uploads, cases (办件) and their history.

create table drafts (
    id            uuid        primary key,             -- chosen by the client
    person_id     uuid        not null references people,
    item_code     text        not null,
    item_version  integer     not null,
    sealed        bytea       not null,                -- form, materials and delivery choice as JSON
    version       bigint      not null default 1,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    submitted_as  uuid,                                -- the case that the draft became
    constraint drafts_item foreign key (item_code, item_version) references item_versions (code, version)
);
create index drafts_open on drafts (person_id, updated_at desc) where submitted_as is null;
-- When a row of `people` is deleted, PostgreSQL looks for all drafts of the person, also submitted ones. That happens when
-- two people are joined, and at every first sign-in, because `reserve_phone` in store::people inserts and deletes a row.
create index drafts_person on drafts (person_id, id);
-- Housekeeping removes old drafts.
create index drafts_age on drafts (updated_at);

create table uploads (
    id            uuid        primary key,
    person_id     uuid        not null references people,
    content_type  text        not null,
    size          bigint      not null check (size > 0), -- bytes
    sha256        bytea       not null,
    name_sealed   bytea       not null,                -- sealed, because a file name may identify a person
    object_path   text        not null,                -- the content in the object store
    created_at    timestamptz not null,
    keep_until    timestamptz,                         -- null if a case names the file: then it is kept for good
    checked_at    timestamptz,                         -- null while the file is being checked: then it is not shown
    refused_for   text,                                -- why the check refused the file: incomplete | malware | …
    shown_path    text,                                -- what people are shown: for a picture a copy, for a PDF itself
    shown_type    text,
    shown_size    bigint      check (shown_size > 0),  -- bytes
    shown_sha256  bytea,
    constraint uploads_shown_iff_passed check (
        num_nonnulls(shown_path, shown_type, shown_size, shown_sha256)
            = case when checked_at is not null and refused_for is null then 4 else 0 end
    ),
    constraint uploads_refused_when_checked check (refused_for is null or checked_at is not null)
);
comment on table uploads is 'Files that people uploaded. The contents are in the object store, sealed.';
create index uploads_person on uploads (person_id, created_at desc);
-- Housekeeping removes files that no case named in time. The number of such files per person is limited.
create index uploads_expiring on uploads (keep_until) where keep_until is not null;
create index uploads_unused on uploads (person_id) where keep_until is not null;

-- Case numbers count up within a day.
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
    source           text        not null default 'mobile',  -- 'mobile', or the back-office system that reported the case
    source_ref       text,                             -- the reference that the back-office system uses
    report_hash      bytea,                            -- keyed hash of the whole report
    report_key_hash  bytea,                            -- keyed hash of its Idempotency-Key, if it did not come in a batch
    state            text        not null check (state in
                         ('submitted', 'supplement_noticed', 'accepted', 'granted', 'denied', 'withdrawn')),
    detail_sealed    bytea       not null,             -- officer, time, reasons and result of the state, as JSON
    delivery         jsonb       not null,             -- electronic | courier | counter
    application      bytea       not null,             -- the sealed snapshot of form and materials; it never changes
    recipient_sealed bytea,                            -- PostalAddress, if the delivery is by courier
    version          bigint      not null default 1,
    due_on           date,                             -- the officer's next due date; null if the case waits for its applicant
    -- 承诺与法定期限: the deadlines are kept after the decision, so that it can be seen whether they were met.
    accepted_on      date,                             -- 受理日: the decision period starts on this day
    promised_on      date,                             -- 承诺办结日
    legal_on         date,                             -- 法定办结日: null if the law sets none, or its year has no calendar yet
    submitted_at     timestamptz not null,
    updated_at       timestamptz not null,
    constraint cases_source_ref unique (source, source_ref),
    -- A report that is sent again is recognised by its hashes, and a different report under the same reference or key is
    -- refused, without storing what was reported.
    constraint cases_reported_iff check ((source_ref is null) = (report_hash is null)),
    constraint cases_item foreign key (item_code, item_version) references item_versions (code, version)
);
create index cases_person on cases (person_id, submitted_at desc, id);
create index cases_open_of_person on cases (person_id, item_code)
    where source = 'mobile' and state in ('submitted', 'supplement_noticed', 'accepted');
-- An agency's queue in reading order. A case that waits for its applicant has no due date and comes last. A statement reads
-- a page from its position in this index.
create index cases_in_queue on cases (agency, coalesce(due_on, 'infinity'::date), id)
    where state in ('submitted', 'supplement_noticed', 'accepted');

-- 目录之外不得实施行政审批: no approval outside the catalogue. The database checks this, because a process may have a
-- catalogue in memory that is some seconds old. The database also checks that a person does not flood an agency with
-- applications, because two requests at once would both find room. One check covers all cases that a statement opens.
create function check_opened_cases() returns trigger language plpgsql as $$
begin
    if exists (
        select from opened o where not exists (
            select from item_versions v
            where v.code = o.item_code and v.version = o.item_version and v.withdrawn_at is null
        )
    ) then
        raise exception 'a case is opened on an item that is not in force'
            using errcode = 'check_violation', constraint = 'cases_in_force';
    end if;
    if exists (
        select from opened o where o.source = 'mobile' and (
            select count(*) from cases c
            where c.person_id = o.person_id and c.item_code = o.item_code and c.source = 'mobile'
              and c.state in ('submitted', 'supplement_noticed', 'accepted')
        ) > 20
    ) then
        raise exception 'a person has more than 20 open cases of an item'
            using errcode = 'check_violation', constraint = 'cases_open_at_once';
    end if;
    return null;
end $$;
create trigger cases_opened after insert on cases referencing new table as opened
    for each statement execute function check_opened_cases();

-- The answer to the one supplement notice (补正告知). It is kept beside the application, which never changes.
create table case_supplements (
    case_id  uuid        primary key references cases,
    sealed   bytea       not null,
    at       timestamptz not null
);

-- Append-only: triggers refuse every change of the past.
create table case_history (
    id            uuid        primary key,
    case_id       uuid        not null references cases,
    at            timestamptz not null,
    actor         text        not null,                -- person:per_…, officer:ofc_…, client:cli_…, carrier:ems, system
    behalf        text        not null,                -- the party for which the actor acted: person:per_…, agency:police
    act           text        not null,
    cause_sealed  bytea                                -- reasons and particulars as JSON; null if there are none
);
create index case_history_case on case_history (case_id, id);
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the history of a case is append-only' using errcode = 'restrict_violation';
end $$;
create trigger case_history_append_only before update or delete on case_history
    for each row execute function refuse_change();
create trigger case_history_stays before truncate on case_history
    for each statement execute function refuse_change();
