-- Real-name checks that were asked for, until they are known to have been right: the memory of their limits per person.
create table identity_tries (
    id         uuid        primary key,
    person_id  uuid        not null references people,
    at         timestamptz not null
);
create index identity_tries_person on identity_tries (person_id, at desc);
create index identity_tries_age on identity_tries (at);
