-- Recipes of augmentation.
create view smartdb.recipe as
select r.recipe_id, r.name, r.pipeline, r.seed, r.note, r.created_at
from core.recipe as r;

comment on view smartdb.recipe is 'Recipes of augmentation: how pictures are varied for training, with their labels.';
comment on column smartdb.recipe.recipe_id is 'Identity of the recipe.';
comment on column smartdb.recipe.name is 'Unique name, the one to give to smartdb train --recipe.';
comment on column smartdb.recipe.pipeline is 'Its steps in order, each {"transform": ..., "arguments": {...}}.';
comment on column smartdb.recipe.seed is 'Where chance begins, unless another seed is given.';
comment on column smartdb.recipe.note is 'What it is for.';
comment on column smartdb.recipe.created_at is 'When it was written.';

-- example:
--   select name, pipeline, seed from smartdb.recipe
-- result:
--   mirrored | [{'arguments': {}, 'transform': 'RandomHorizontalFlip'}] | 0
