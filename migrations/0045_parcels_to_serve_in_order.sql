-- no-transaction
-- An agency's parcels in a state, in the order in which they must arrive: a page of them is read from where it begins.
create index concurrently parcels_to_serve on parcels (agency, state, coalesce(serve_by, 'infinity'::date), id);
