-- What a back-office system reported, as keyed hashes: the same again is known by them, and something else under the same
-- reference or the same key is told apart, without keeping what was said.
alter table cases
    add column report_hash     bytea,                  -- of all that was reported
    add column report_key_hash bytea;                  -- of the Idempotency-Key that it came with, if it came alone
