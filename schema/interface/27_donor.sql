-- Media into which objects of another were pasted.
create view smartdb.donor as
select d.media_id, d.donor_id from core.donor as d;

comment on view smartdb.donor is 'Media into which objects of another were pasted; the two must lie in one split, which split_leak tells.';
comment on column smartdb.donor.media_id is 'The media that shows them now.';
comment on column smartdb.donor.donor_id is 'The media they were cut out of.';

-- example:
--   select media_id, donor_id from smartdb.donor
-- result:
