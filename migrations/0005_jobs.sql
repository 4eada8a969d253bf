-- Jobs: work promised in the same transaction as its cause.

create table jobs (
    id           uuid        primary key,
    lane         text        not null,
    kind         text        not null,
    key          text        not null,
    payload      jsonb       not null,
    state        text        not null default 'pending' check (state in ('pending', 'done', 'dead')),
    due_at       timestamptz not null,
    -- When its id was last put on the stream. Null asks the sweeper to offer it once it is due.
    offered_at   timestamptz,
    fence        bigint      not null default 0,       -- counts claims: a late worker settles nothing
    lease_until  timestamptz,
    worker       text,
    attempts     integer     not null default 0,       -- tries that count towards the cap (snoozes do not)
    unclear      integer     not null default 0,       -- tries whose outcome nobody knows
    -- A look-up found nothing since the last of them; found a second time, a while later, that is believed.
    told_absent  boolean     not null default false,
    cause        text,                                 -- why it waits or died, in the gateway's words
    trace        text,                                 -- traceparent of the request that promised it
    created_at   timestamptz not null,
    finished_at  timestamptz,
    constraint jobs_key unique (key),
    constraint jobs_finished_iff check ((state = 'pending') = (finished_at is null))
) with (fillfactor = 80);

create index jobs_to_offer on jobs (lane, due_at) where state = 'pending' and offered_at is null;
create index jobs_offered on jobs (lane, offered_at) where state = 'pending' and offered_at is not null;
create index jobs_dead on jobs (id) where state = 'dead';

create table attempts (
    job_id      uuid        not null,
    fence       bigint      not null,
    worker      text        not null,
    started_at  timestamptz not null,
    ended_at    timestamptz,                           -- null: it never told; its outcome is unclear
    outcome     text,
    detail      text,
    reference   text,
    constraint attempts_pkey primary key (job_id, fence)
);
