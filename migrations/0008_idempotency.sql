-- Answers to requests that carried an Idempotency-Key. Each is stored in the transaction of its effect, so that a repeated
-- request gets the same answer and has no second effect.

create table idempotent_answers (
    scope        text        not null,                 -- caller and operation: 'per_…:submit_case'
    key          text        not null check (length(key) between 1 and 255),
    fingerprint  bytea       not null,                 -- SHA-256 of the canonical request
    form         jsonb       not null,                 -- how the answer is given: the API's own notes
    body_sealed  bytea       not null,                 -- sealed, because an answer repeats personal data
    created_at   timestamptz not null,
    constraint idempotent_answers_pkey primary key (scope, key)
);
create index idempotent_answers_age on idempotent_answers (created_at);
