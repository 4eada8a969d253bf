-- A parcel goes out though nobody knows yet by when it must arrive: the working days of that year are not announced.
alter table parcels alter column serve_by drop not null;
