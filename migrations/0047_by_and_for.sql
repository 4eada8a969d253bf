-- A history says on whose behalf each act was done; the actor is the one who did it.
alter table case_history add column behalf text not null default ''; -- 'person:per_…', 'agency:police'
alter table case_history alter column behalf drop default;

-- How a stored answer is given is the caller's affair: one value, which nothing below the API reads.
delete from idempotent_answers;
alter table idempotent_answers
    drop column status,
    drop column headers,
    drop column body,
    alter column body_sealed set not null,
    add column form jsonb not null;
