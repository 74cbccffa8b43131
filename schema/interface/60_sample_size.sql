-- How many media a sampler is asked for, checked.
create function smartdb.sample_size(n integer) returns integer
language plpgsql immutable parallel safe as $$
begin
    if n >= 1 then
        return n;
    end if;
    raise exception 'cannot choose % media', coalesce(n::text, 'null')
        using errcode = 'SD002', hint = 'ask for 1 or more';
end
$$;
comment on function smartdb.sample_size(integer) is 'n itself. SD002 unless it is 1 or more.';

-- example:
--   select smartdb.sample_size(3)
-- result:
--   3
