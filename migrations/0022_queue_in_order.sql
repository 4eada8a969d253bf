-- no-transaction
-- The queue in the order in which it is read, what waits for its applicant last: a page of it is read from where it begins.
create index concurrently cases_in_queue on cases (agency, coalesce(due_on, 'infinity'::date), id)
    where state in ('submitted', 'supplement_noticed', 'accepted');
