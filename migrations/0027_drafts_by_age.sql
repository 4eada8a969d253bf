-- no-transaction
create index concurrently drafts_age on drafts (updated_at);
