-- Answers to requests that carried an Idempotency-Key, stored in the transaction of their effect.

create table idempotent_answers (
    scope        text        not null,                 -- who and what: 'per_…:submit_case'
    key          text        not null check (length(key) between 1 and 255),
    fingerprint  bytea       not null,                 -- SHA-256 of the canonical request
    status       smallint    not null,
    headers      jsonb       not null,
    body         jsonb       not null,
    created_at   timestamptz not null,
    constraint idempotent_answers_pkey primary key (scope, key)
);
create index idempotent_answers_age on idempotent_answers (created_at);
