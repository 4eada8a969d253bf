-- no-transaction
-- Two people who are joined have their refusals joined.
create index concurrently refused_applications_person on refused_applications (person_id) where person_id is not null;
