-- no-transaction
create index concurrently uploads_expiring on uploads (keep_until) where keep_until is not null;
