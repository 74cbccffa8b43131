-- The split of a group: a hash of its name and the seed, so nothing moves when the data grow.
create function smartdb.split_of(
    split_group text, seed bigint, val double precision default 0.1, test double precision default 0.2
)
returns text
language sql immutable parallel safe
begin atomic
    -- one expression without from, so that it inlines: 0.3 us a media, not 3.6
    select (array['test', 'val', 'train'])[1 + width_bucket(
        (hashtextextended(split_group, seed)::double precision + 9223372036854775808)
        / 18446744073709551616,
        array[test, test + val]
    )];
end;
comment on function smartdb.split_of(text, bigint, double precision, double precision) is
    'train, val or test for a group, from a hash of its name and the seed; val and test are shares, 0 to 1.';

-- example:
--   select smartdb.split_of('media ' || i, 0) as split, count(*) from generate_series(1, 10000)
--   as i group by split order by split
-- result:
--   test | 1954
--   train | 7035
--   val | 1011
