-- Answers to requests with an Idempotency-Key. Each is stored in the same transaction as the request's effect, so that a
-- repeated request gets the same answer and has no second effect.

create table idempotent_answers (
    scope        text        not null,                 -- caller and operation: 'per_…:submit_case'
    key          text        not null check (length(key) between 1 and 255),
    fingerprint  bytea       not null,                 -- SHA-256 of the canonical request
    form         jsonb       not null,                 -- the form of the answer (status, headers), as the API stores it
    body_sealed  bytea       not null,                 -- sealed, because an answer repeats personal data
    created_at   timestamptz not null,
    constraint idempotent_answers_pkey primary key (scope, key)
);
create index idempotent_answers_age on idempotent_answers (created_at);
