-- no-transaction
create index concurrently refused_applications_age on refused_applications (at);
