-- A parcel goes out though nobody knows yet by when it must arrive: the working days of that year are not announced.
alter table parcels alter column serve_by drop not null;

-- 所属部门: whose desk looks after the parcel. It never changes, as that of a case does not.
alter table parcels add column agency text;

-- While a release rolls out, processes that do not know of it yet promise parcels as well.
create function agency_of_parcel() returns trigger language plpgsql as $$
begin
    update parcels set agency = (select c.agency from cases c where c.id = new.case_id) where id = new.id;
    return null;
end $$;
create trigger parcels_agency after insert on parcels for each row when (new.agency is null)
    execute function agency_of_parcel();

-- Of which parcel somebody was told: a case has a second one when the first did not arrive. Null in what was told before, when
-- a case had no more than one.
alter table notifications add column parcel_id uuid;
