-- no-transaction
create index concurrently jobs_awaiting on jobs (awaits) where awaits is not null;
