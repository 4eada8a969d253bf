-- 承诺与法定期限: both are kept, and outlive the decision, so that it can be told whether they were. Cases that were accepted
-- before have none.
alter table cases
    add column accepted_on date,                       -- 受理日: the day from which the decision is owed
    add column promised_on date,                       -- 承诺办结日
    add column legal_on    date;                       -- 法定办结日: null where there is none, or its year is not announced
