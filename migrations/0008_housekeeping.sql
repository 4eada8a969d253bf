-- What housekeeping looks for, so that it never scans what grows with history.

create index login_codes_age on login_codes (created_at);
create index sessions_over on sessions (coalesce(ended_at, expires_at));
