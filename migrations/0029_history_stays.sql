-- No row of a history can be changed; nor can all of them be swept away at once.
create trigger case_history_stays before truncate on case_history
    for each statement execute function refuse_change();
