-- The catalogue (事项目录): every published version of every item, and which version is in force.

create table item_versions (
    code          text        not null,                -- JT-0001
    version       integer     not null check (version > 0),
    content       jsonb       not null,                -- the whole item: guide, form and rules
    content_hash  bytea       not null,                -- SHA-256 of the content: an unchanged item gets no new version
    published_at  timestamptz not null,
    withdrawn_at  timestamptz,                         -- when a newer version replaced it, or the item was removed
    constraint item_versions_pkey primary key (code, version)
);
create unique index item_versions_in_force on item_versions (code) where withdrawn_at is null;

-- The data that items share: agencies, regions, halls, topics, calendar, templates. Only the newest version of each part
-- is kept. A date that was computed from an older calendar is stored with its case, and does not change.
create table catalogue_parts (
    name          text        primary key,
    content       jsonb       not null,
    content_hash  bytea       not null,
    published_at  timestamptz not null
);

-- A single row. Every publication that changes something raises the revision. A running process compares it with the
-- revision that it has loaded, and reloads the catalogue if they differ.
create table catalogue (
    only_row      boolean     primary key default true check (only_row),
    revision      bigint      not null,
    published_at  timestamptz not null
);

-- 目录之外不得实施行政审批: no approval outside the catalogue. An application for an item that is not published is refused,
-- and so is a reported decision on such an item. The refusal is kept as evidence.
create table refused_applications (
    id            bigint generated always as identity primary key,
    item_code     text        not null check (length(item_code) <= 100),
    person_id     uuid,                                -- the applicant, or
    client_id     uuid,                                -- the back-office system
    reason        text        not null,
    at            timestamptz not null
);
-- Housekeeping removes old refusals.
create index refused_applications_age on refused_applications (at);
-- When two people are joined, their refusals are joined too.
create index refused_applications_person on refused_applications (person_id) where person_id is not null;
