-- The whole of a scan, as its carrier told it in a call or an answer.
alter table parcel_scans add column raw_sealed bytea;
