-- Media that were made by a recipe, and of what.
create view smartdb.augmentation as
select
    a.media_id, a.parent_id as parent_media_id, r.name as recipe, a.seed, a.number, a.run_id,
    exists (
        select from core.label as l
        where l.media_id = a.parent_id and l.origin <> 'model' and (l.rev_from > a.revision or l.rev_to > a.revision)
    ) as is_stale
from core.augmentation as a
join core.recipe as r on r.recipe_id = a.recipe_id;

comment on view smartdb.augmentation is 'Media that were made by a recipe, and of what; their labels are of origin propagated.';
comment on column smartdb.augmentation.media_id is 'The media that was made.';
comment on column smartdb.augmentation.parent_media_id is 'The media it was made of.';
comment on column smartdb.augmentation.recipe is 'Name of the recipe.';
comment on column smartdb.augmentation.seed is 'The seed that was given.';
comment on column smartdb.augmentation.number is 'Which variant, from 1.';
comment on column smartdb.augmentation.run_id is 'The run that made it.';
comment on column smartdb.augmentation.is_stale is 'Whether labels of the parent changed since.';

-- example:
--   select media_id, recipe, number from smartdb.augmentation
-- result:
