-- Whose desk looks after the parcels that were there before.
update parcels p set agency = c.agency from cases c where c.id = p.case_id and p.agency is null;
