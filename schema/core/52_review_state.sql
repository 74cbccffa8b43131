-- Reviewing: the rules of core.review_transition, kept by triggers whoever writes a verdict and how.

create function core.last_verdict(label bigint) returns core.review
language sql stable
begin atomic
    -- each half by its index, also while many verdicts are written into a table that was empty
    select r.* from (
        (select j.* from core.review as j where j.label_id = label and j.rev_to is null order by j.review_id desc limit 1)
        union all
        (
            select w.* from core.review as w where w.corrected_label_id = label and w.rev_to is null
            order by w.review_id desc limit 1
        )
    ) as r
    order by r.label_id = label desc limit 1;
end;
comment on function core.last_verdict(bigint) is
    'The verdict that a label row''s review state comes from: the last on it, else the one that wrote it; null if unreviewed.';

create function core.may_judge(label bigint, actor bigint, judge text) returns boolean
language sql stable
begin atomic
    with state as (
        select k.label_id, k.actor_id from core.label as l join core.label as k on k.object_id = l.object_id
        where l.label_id = label and k.label_id <= label and not exists (
            select from core.review as w where w.corrected_label_id = k.label_id and w.rev_to is not null)
    )
    select
        judge = 'disputant' or (
            not exists (select from state as s where s.actor_id = actor)
            and (judge = 'reviewer' or not exists (
                select from core.review as r
                where r.reviewer_id = actor and r.label_id in (select s.label_id from state as s))));
end;
comment on function core.may_judge(bigint, bigint, text) is
    'Whether a person may judge a label as reviewer (wrote no row of it, corrections included unless withdrawn) or as adjudicator (nor ever '
    'judged it).';

create function core.lock_label(label bigint, replaced_by bigint default null) returns core.label
language plpgsql as $$
declare
    l core.label;
begin
    perform from core.label as k -- verdicts on one label wait for each other
    where k.object_id = (select o.object_id from core.label as o where o.label_id = label)
    order by k.label_id for update;
    select * into l from core.label as k where k.label_id = label;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.review_queue';
    elsif exists (
        select from core.label as k
        where k.object_id = l.object_id and k.label_id > label and k.label_id is distinct from replaced_by
    ) then
        raise exception 'label % has changed meanwhile', label
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    end if;
    return l;
end
$$;
comment on function core.lock_label(bigint, bigint) is
    'The label row, locked with all the rows of its label; SD001 if there is none, SD005 if another but replaced_by followed.';

create function core.reopen_label(label bigint) returns bigint
language plpgsql as $$
declare
    result bigint;
begin
    insert into core.label (
        object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id,
        subject_id, target_id, origin, actor_id, confidence, task_id, run_id
    )
    select
        l.object_id, l.media_id, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id,
        l.subject_id, l.target_id, l.origin, l.actor_id, l.confidence, l.task_id, l.run_id
    from core.label as l where l.label_id = label
    on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing
    returning label_id into result;
    return coalesce(result, (
        select k.label_id from core.label as l join core.label as k
            on k.media_id = l.media_id and k.actor_id = l.actor_id and k.class_id = l.class_id
        where l.label_id = label and k.kind = 'classification' and k.rev_to is null));
end
$$;
comment on function core.reopen_label(bigint) is
    'Says again what a closed label row said, in the name of who said it, and returns the row that does.';

create function core.check_verdict() returns trigger
language plpgsql as $$
declare
    l constant core.label := core.lock_label(new.label_id, new.corrected_label_id);
    last constant core.review := core.last_verdict(new.label_id);
    step core.review_transition;
begin
    if new.verdict <> 'disputed' and not (
        pg_has_role(current_user, 'smartdb_reviewer', 'usage') or pg_has_role(current_user, 'smartdb_writer', 'usage')
    ) then
        raise exception 'only a reviewer can say %', new.verdict
            using errcode = '42501', hint = 'an annotator may dispute a verdict: smartdb.dispute';
    end if;
    new.media_id := l.media_id;
    new.state_before := coalesce(last.state, 'unreviewed');
    select * into step from core.review_transition as t where t.state = new.state_before and t.verdict = new.verdict;
    if not found then
        raise exception 'label % is %: it cannot be % now', new.label_id, new.state_before, coalesce(new.verdict, 'null')
            using errcode = 'SD007', hint = 'see: select * from smartdb.review_transition';
    end if;
    new.state := step.next_state;
    if not core.may_judge(new.label_id, new.reviewer_id, step.judge) then
        if step.judge = 'reviewer' then
            raise exception 'label % is the reviewer''s own', new.label_id
                using errcode = 'SD002', hint = 'ask another reviewer';
        end if;
        raise exception 'the adjudicator of label % has written or judged it before', new.label_id
            using errcode = 'SD002', hint = 'ask somebody who has not';
    elsif exists (
        select from core.review as r
        where r.label_id = new.label_id and r.reviewer_id = new.reviewer_id and r.rev_to is null
    ) or (new.verdict = 'disputed' and last.reviewer_id = new.reviewer_id) then
        raise exception 'label % was judged by the same person', new.label_id
            using errcode = 'SD007', hint = 'withdraw that verdict first: smartdb.withdraw_review';
    elsif l.rev_to is not null and new.corrected_label_id is null
        and new.verdict <> 'disputed' and (new.state_before <> 'disputed' or new.verdict = 'accepted') then
        raise exception 'label % has changed meanwhile', new.label_id
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    elsif new.state <> 'disputed' and (new.verdict = 'corrected' or new.corrected_label_id is not null) and not exists (
        select from core.label as k
        where k.label_id = new.corrected_label_id and k.media_id = l.media_id and k.rev_to is null
            and k.label_id <> l.label_id and k.actor_id = case new.verdict when 'corrected' then new.reviewer_id else l.actor_id end
    ) then
        raise exception 'no live label by the reviewer takes the place of label %', new.label_id
            using errcode = 'SD002', hint = 'smartdb.review_label writes it and the verdict';
    end if;
    return new;
end
$$;
comment on function core.check_verdict() is
    'Row trigger: a verdict is on the newest row of a label, follows from its state by core.review_transition, and is by '
    'somebody who may. SD007 for a verdict that may not follow, SD002 for a judge who may not be, SD005 for an old row.';
create trigger check_verdict before insert on core.review
    for each row execute function core.check_verdict();

create function core.apply_verdicts() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update core.label as l set rev_to = 0
    from added as a
    where l.label_id = a.label_id and l.rev_to is null
        and a.state in ('corrected', 'rejected', 'adjudicated') and a.verdict <> 'accepted';
    update core.label_issue as i
    set state = case a.verdict when 'accepted' then 'dismissed' else 'confirmed' end,
        decided_by = a.reviewer_id, decided_at = clock_timestamp(), reason = a.reason
    from added as a
    where i.label_id = a.label_id and a.state <> 'disputed'
        and (i.state = 'open' or a.verdict <> 'accepted' or a.state = 'adjudicated');
    update core.task as t
    set state = case a.verdict when 'disputed' then 'skipped' else 'done' end,
        done_at = clock_timestamp(), lease_until = null,
        assignee_id = case when a.verdict <> 'disputed' then a.reviewer_id end,
        claimed_at = case when t.assignee_id = a.reviewer_id then t.claimed_at end
    from added as a
    where t.label_id = a.label_id and t.state in ('open', 'claimed')
        and (t.kind = 'review' or (t.kind = 'adjudicate' and a.state = 'adjudicated'));
    insert into core.task (kind, media_id, label_id, priority)
    select 'adjudicate', a.media_id, a.label_id, 1 from added as a where a.state = 'disputed' order by a.review_id
    on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
    do nothing;
    insert into core.task (kind, media_id)
    select distinct 'label', a.media_id
    from added as a join core.label as l on l.label_id = a.label_id
    where a.verdict = 'rejected' and a.state <> 'disputed' and l.kind = 'classification' and not exists (
        select from core.label as k
        where k.media_id = a.media_id and k.kind = 'classification' and k.rev_to is null
            and k.origin in ('consensus', 'human', 'import')
    )
    on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
    do nothing;
    return null;
end
$$;
comment on function core.apply_verdicts() is
    'Statement trigger: does what the verdicts say. Closes labels, settles their suspicions, ends their review tasks, asks an '
    'adjudicator about what is disputed, and for a class where a media has none left.';
create trigger apply_verdicts after insert on core.review referencing new table as added
    for each statement execute function core.apply_verdicts();

create function core.undo_verdict() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l constant core.label := core.lock_label(new.label_id, new.corrected_label_id);
    reopened bigint;
begin
    if new.state = 'adjudicated' then
        raise exception 'label % is adjudicated, which is final until somebody edits it', new.label_id
            using errcode = 'SD007', hint = 'see: select * from smartdb.label_story(' || l.object_id || ')';
    elsif exists (
        select from core.review as r join core.label as k on k.label_id = r.label_id
        where k.object_id = l.object_id and r.rev_to is null and r.review_id > new.review_id
            and not (new.state = 'accepted' and r.state = 'accepted' and r.label_id = new.label_id)
    ) then
        raise exception 'others have judged label % since', new.label_id
            using errcode = 'SD007', hint = 'the last verdict is withdrawn first; or dispute it: smartdb.dispute';
    end if;
    if new.state in ('corrected', 'rejected') then
        if exists (select from core.label as k where k.label_id = new.corrected_label_id and k.rev_to is not null) then
            raise exception 'label % has changed meanwhile', new.corrected_label_id using errcode = 'SD005',
                hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
        end if;
        update core.label as k set rev_to = 0
        where k.label_id = new.corrected_label_id and k.object_id = l.object_id;
        reopened := core.reopen_label(new.label_id);
    end if;
    update core.label_issue as i
    set state = 'open', label_id = coalesce(reopened, i.label_id), decided_by = null, decided_at = null, reason = null
    where i.label_id = new.label_id and i.state <> 'open' and new.state <> 'disputed'
        and not exists (select from core.review as r where r.label_id = new.label_id and r.rev_to is null)
        and not exists (select from core.label_issue as k where k.label_id = reopened and k.kind = i.kind);
    if (core.last_verdict(new.label_id)).state is distinct from 'disputed' then
        update core.task as t set state = 'skipped', done_at = clock_timestamp(), lease_until = null
        where t.kind = 'adjudicate' and t.label_id = new.label_id and t.state in ('open', 'claimed');
    end if;
    return null;
end
$$;
comment on function core.undo_verdict() is
    'Row trigger: who withdraws the last verdict on a label undoes what it did: the label is as before, its suspicions are open. '
    'SD007 if others followed or it is an adjudication, SD005 if the correction was changed since.';
create trigger undo_verdict after update of rev_to on core.review
    for each row when (old.rev_to is null and new.rev_to is not null) execute function core.undo_verdict();
