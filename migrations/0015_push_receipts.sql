-- What gateways told of messages that they had taken, where they know no key of ours (WeChat's sent events). A push of
-- which nobody knows whether it was taken looks here whether its message was among them.

create table push_receipts (
    channel      text        not null,
    reference    text        not null,                 -- the gateway's id of the message
    recipient    text        not null,                 -- keyed hash of the address
    template     text        not null,
    fate         text        not null check (fate in ('arrived', 'refused', 'lost')),
    happened_at  timestamptz not null,                 -- by the gateway's clock
    heard_at     timestamptz not null,
    constraint push_receipts_pkey primary key (channel, reference)
);
create index push_receipts_of on push_receipts (channel, recipient, template, happened_at);
create index push_receipts_age on push_receipts (heard_at);

-- The event that a waiting job waits for: it is due when that happens, if not before.
alter table jobs add column awaits text;
