-- An attempt is written down once, when it ends; while it is under way, its job knows it. That halves what a job costs.

alter table jobs add column claimed_at timestamptz;

-- An attempt that was under way at the time of this change is one that nobody will tell of any more.
update jobs j set claimed_at = a.started_at from attempts a where a.job_id = j.id and a.fence = j.fence and a.ended_at is null;
delete from attempts where ended_at is null;
alter table attempts alter column ended_at set not null, alter column outcome set not null;
