-- One accept is told by the client and by the platform, in any order; it counts once (domain::consent).
alter table consents
    add column unmatched integer not null default 0,   -- accepts that only clients (> 0) or the platform (< 0) told of
    add column heard_at  timestamptz;                  -- the newest act that the platform told of
