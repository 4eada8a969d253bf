-- What is not handed in has an end. Files that are here already are kept: which of them a case names is sealed.
alter table uploads add column keep_until timestamptz; -- null: it belongs to a case, and is kept with it
