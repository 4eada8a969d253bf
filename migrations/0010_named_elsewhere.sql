-- People whom only another system named so far. One whom it named by phone is the owner of that phone: they sign in by it.
-- One whom it named by resident ID is whoever proves that ID: `resident_id_hash` stands before `verified_at` does, and the
-- phone beside it is only where messages go, so it has no `phone_hash` and nobody signs in by it.
alter table people add column signed_in_at timestamptz;    -- for the first time; null while only others speak of them

update people p set signed_in_at = created_at
where verified_at is not null
   or exists (select from wechat_accounts where person_id = p.id)
   or exists (select from sessions where subject_id = p.id)
   or exists (select from drafts where person_id = p.id)
   or exists (select from uploads where person_id = p.id)
   or exists (select from addresses where person_id = p.id)
   or exists (select from devices where person_id = p.id);

-- Two that turned out to be one: whoever reads of the first in a history finds them here.
create table joined_people (
    person_id  uuid        primary key,                -- who was joined, and is no more
    into_id    uuid        not null,
    at         timestamptz not null
);
create index joined_people_into on joined_people (into_id);
