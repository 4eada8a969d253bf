-- no-transaction
-- Its order was of no use to the queue.
drop index concurrently cases_queue;
