-- An encoder by its name, or the only one there is.
create function smartdb.require_encoder(encoder text default null) returns smartdb.encoder
language plpgsql stable as $$
declare
    known constant text[] := array(select e.name from smartdb.encoder as e order by e.name);
    result smartdb.encoder;
begin
    if encoder is null and cardinality(known) > 1 then
        raise exception 'there are several encoders; name one of: %', array_to_string(known, ', ')
            using errcode = 'SD002', hint = 'see: select name from smartdb.encoder';
    end if;
    select * into result from smartdb.encoder as e where e.name = coalesce(encoder, known[1]);
    if not found then
        raise exception 'no encoder %', coalesce(encoder, 'yet')
            using errcode = 'SD001', hint = 'see: select name from smartdb.encoder';
    end if;
    return result;
end
$$;
comment on function smartdb.require_encoder(text) is
    'The encoder of a name, or the only one if none is given. SD001 if there is none, SD002 if there are several to choose from.';

-- example:
--   select e.name, e.dim from smartdb.require_encoder() as e
-- result:
--   tiny | 3
