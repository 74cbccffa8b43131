-- What the reason of a chosen media says besides, where there were fewer than asked for.
create function smartdb.sample_note(taken bigint, n integer) returns text
language sql immutable parallel safe
begin atomic
    select case
        when taken < n then format(', all %s candidates were taken, %s asked for', taken, n) else ''
    end;
end;
comment on function smartdb.sample_note(bigint, integer) is
    'Empty where n media could be chosen, else that all candidates were taken.';

-- example:
--   select smartdb.sample_note(2, 5)
-- result:
--   , all 2 candidates were taken, 5 asked for
