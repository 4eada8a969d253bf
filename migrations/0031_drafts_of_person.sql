-- no-transaction
-- Whoever deletes a person has PostgreSQL look for their drafts, submitted ones too: at every first sign-in, and when two
-- people are joined.
create index concurrently drafts_person on drafts (person_id);
