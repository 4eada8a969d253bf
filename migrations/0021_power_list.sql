-- 目录之外不得实施行政审批, whoever opens a case: a process may hold a catalogue that is some seconds old, the record knows which
-- items are in force. One look for all cases of a statement.
create function refuse_what_is_not_in_force() returns trigger language plpgsql as $$
begin
    if exists (
        select from opened o where not exists (
            select from item_versions v
            where v.code = o.item_code and v.version = o.item_version and v.withdrawn_at is null
        )
    ) then
        raise exception 'a case is opened on an item that is not in force'
            using errcode = 'check_violation', constraint = 'cases_in_force';
    end if;
    return null;
end $$;
create trigger cases_in_force after insert on cases referencing new table as opened
    for each statement execute function refuse_what_is_not_in_force();

-- Refusals of what another system reports are kept as well.
alter table refused_applications add column client_id uuid;
