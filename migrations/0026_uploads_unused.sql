-- no-transaction
create index concurrently uploads_unused on uploads (person_id) where keep_until is not null;
