-- Takes a verdict back, with what it did.
create function smartdb.withdraw_review(review bigint, reviewer text) returns bigint
language plpgsql volatile as $$
declare
    r core.review;
begin
    select * into r from core.review as v where v.review_id = review;
    if not found then
        raise exception 'no review %', review using errcode = 'SD001', hint = 'see: select * from smartdb.review';
    elsif (select a.name from smartdb.actor as a where a.actor_id = r.reviewer_id) is distinct from reviewer then
        raise exception 'review % is not by %', review, coalesce(reviewer, 'nobody')
            using errcode = 'SD002', hint = 'who gave a verdict withdraws it; others dispute it: smartdb.dispute';
    end if;
    update core.review as v set rev_to = 0 where v.review_id = review;
    return (
        select l.label_id from smartdb.label_history as h join smartdb.label as l on l.object_id = h.object_id
        where h.label_id = r.label_id);
end
$$;
comment on function smartdb.withdraw_review(bigint, text) is
    'Withdraws the reviewer''s own verdict, if it is the last on its label: what it closed is opened again as a new row of the '
    'same object, its suspicions are open again. Returns the label_id that stands now. SD001 no such review, SD002 somebody '
    'else''s, SD003 withdrawn before, SD005 the correction was changed since, SD007 others have judged since, or it is final.';

-- example:
--   select smartdb.withdraw_review(1, 'ana') > 0; select class, actor, review_state from
--   smartdb.label where object_id = 5
-- result:
--   cat | folder names | unreviewed
