-- What people wrote about people is sealed like all that is personal: why a case was decided so, what was missing, what its
-- result is called and numbered; why somebody withdrew, or looked; and answers that repeat any of it. Rows of before stay as
-- they are, and are read as they are.
alter table cases alter column detail drop not null, add column detail_sealed bytea;
alter table case_history add column cause_sealed bytea;
alter table idempotent_answers alter column body drop not null, add column body_sealed bytea;
