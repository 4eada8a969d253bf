-- The catalogue (事项目录): every version of every item that was ever published, and which is in force.

create table item_versions (
    code          text        not null,                -- JT-0001
    version       integer     not null check (version > 0),
    content       jsonb       not null,                -- the item, whole: guide, form and rules
    content_hash  bytea       not null,                -- SHA-256 of the content: unchanged items get no new version
    published_at  timestamptz not null,
    withdrawn_at  timestamptz,                         -- when a newer version, or none, took its place
    constraint item_versions_pkey primary key (code, version)
);
create unique index item_versions_in_force on item_versions (code) where withdrawn_at is null;

-- What items share: agencies, regions, halls, calendar, templates. Only the newest of each is kept; dates that were
-- computed from an older calendar are stored where they were computed.
create table catalogue_parts (
    name          text        primary key,
    content       jsonb       not null,
    content_hash  bytea       not null,
    published_at  timestamptz not null
);

-- One row, counted up by every publication that changed something: what running processes compare to know that they
-- must reload.
create table catalogue (
    only_row      boolean     primary key default true check (only_row),
    revision      bigint      not null,
    published_at  timestamptz not null
);

-- 目录之外不得实施行政审批: attempts to apply for what is not published are refused, and kept.
create table refused_applications (
    id            bigint generated always as identity primary key,
    item_code     text        not null check (length(item_code) <= 100),
    person_id     uuid,
    reason        text        not null,
    at            timestamptz not null
);
