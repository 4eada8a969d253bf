-- Jobs (任务): work that a use case enqueues in the transaction that causes it, and the attempts (尝试) at it.

create table jobs (
    id           uuid        primary key,
    lane         text        not null,
    kind         text        not null,
    key          text        not null,
    payload      jsonb       not null,
    state        text        not null default 'pending' check (state in ('pending', 'done', 'dead')),
    due_at       timestamptz not null,
    awaits       text,                                 -- the event that makes the job due, if it happens before `due_at`
    -- When the job's id was last put on the stream. Null asks the sweeper to offer the job when it is due.
    offered_at   timestamptz,
    fence        bigint      not null default 0,       -- number of the last claim: a worker with an older claim settles nothing
    lease_until  timestamptz,
    worker       text,
    claimed_at   timestamptz,                          -- when the attempt under way began
    attempts     integer     not null default 0,       -- attempts that count towards the cap (snoozes do not)
    unclear      integer     not null default 0,       -- attempts whose outcome is unknown
    -- True if, after the last attempt with an unknown outcome, a look-up at the gateway found no trace of it. The worker
    -- looks a second time before it believes that.
    told_absent  boolean     not null default false,
    cause        text,                                 -- why the job waits or is dead, in the gateway's words
    trace        text,                                 -- traceparent of the request that enqueued the job
    created_at   timestamptz not null,
    finished_at  timestamptz,
    constraint jobs_key unique (key),
    constraint jobs_finished_iff check ((state = 'pending') = (finished_at is null))
) with (fillfactor = 80); -- room in each page for the updates of claim and settlement
create index jobs_to_offer on jobs (lane, due_at) where state = 'pending' and offered_at is null;
create index jobs_offered on jobs (lane, offered_at) where state = 'pending' and offered_at is not null;
create index jobs_dead on jobs (id) where state = 'dead';
create index jobs_awaiting on jobs (awaits) where awaits is not null;
-- Housekeeping removes old done jobs with their attempts.
create index jobs_done on jobs (finished_at) where state = 'done';

-- An attempt is written when it ends. While it is under way, its times are in the row of its job. That halves the writes
-- per job.
create table attempts (
    job_id      uuid        not null,
    fence       bigint      not null,
    worker      text        not null,
    started_at  timestamptz not null,
    ended_at    timestamptz not null,
    outcome     text        not null,
    detail      text,
    reference   text,                                  -- the gateway's id of the message or order that it took
    constraint attempts_pkey primary key (job_id, fence)
);
