-- name: dataset
-- The identity of a dataset.
select d.dataset_id from core.dataset as d where d.name = %(dataset)s;

-- name: close_tag
-- Takes a tag from where it points, unless that is the version; says where it pointed.
update core.dataset_tag as t set rev_to = 0
where t.dataset_id = %(dataset_id)s and t.tag = %(tag)s and t.rev_to is null
    and t.version is distinct from %(version)s
returning t.version;

-- name: add_tag
-- Has a tag point to a version, unless it does.
insert into core.dataset_tag (dataset_id, tag, version, actor)
select %(dataset_id)s, %(tag)s, %(version)s, coalesce(%(actor)s, session_user)
where not exists (
    select from core.dataset_tag as t
    where t.dataset_id = %(dataset_id)s and t.tag = %(tag)s and t.rev_to is null
);

-- name: tags
-- Where the tags of a dataset, or of all, point and pointed, in the order they were set.
select t.dataset, t.tag, t.version, t.is_live, t.actor, t.created_at
from smartdb.dataset_tag as t
where %(dataset)s::text is null or t.dataset = %(dataset)s
order by t.dataset, t.tag, t.rev_from;

-- name: add_note
-- Adds a remark.
insert into core.dataset_note (dataset_id, version, note, actor)
values (%(dataset_id)s, %(version)s, %(note)s, coalesce(%(actor)s, session_user));

-- name: notes
-- What was remarked on a dataset, in order.
select n.version, n.note, n.actor, n.created_at
from smartdb.dataset_note as n
where n.dataset = %(dataset)s
order by n.dataset_note_id;

-- name: pin
-- Keeps a version from being pruned; one that is pinned stays as it is.
insert into core.dataset_pin (dataset_id, version, reason, actor)
values (%(dataset_id)s, %(version)s, %(reason)s, coalesce(%(actor)s, session_user))
on conflict (dataset_id, version) do nothing;

-- name: unpin
-- No longer keeps it.
delete from core.dataset_pin where dataset_id = %(dataset_id)s and version = %(version)s;

-- name: prunable
-- The versions older than the newest ones, each with what still needs it (null: nothing).
select v.version, core.version_use(v.dataset_id, v.version) as needed
from (
    select *, row_number() over (order by w.version desc) as age
    from core.dataset_version as w
    where w.dataset_id = %(dataset_id)s and w.sealed_at is not null and w.pruned_at is null
) as v
where v.age > %(keep)s
order by v.version;

-- name: prune
-- Gives these versions up, and says how many rows of membership went.
select core.prune_versions(%(dataset_id)s, %(versions)s);
