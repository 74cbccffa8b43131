-- What was given to label editors, and how far it came back.
create view smartdb.exchange as
select
    e.exchange_id, e.editor, p.name as project, o.name as ontology,
    (select count(*) from core.exchange_item as i where i.exchange_id = e.exchange_id) as n_media,
    (select count(distinct a.media_id) from core.exchange_answer as a where a.exchange_id = e.exchange_id) as n_answered,
    (
        select count(*) from core.exchange_conflict as c
        where c.exchange_id = e.exchange_id and c.state = 'open'
    ) as n_conflicts,
    (select count(*) from core.exchange_refusal as r where r.exchange_id = e.exchange_id) as n_refused,
    e.run_id, e.created_at
from core.exchange as e
join core.ontology as o on o.ontology_id = e.ontology_id
left join core.project as p on p.project_id = e.project_id;

comment on view smartdb.exchange is 'Tasks that were given to a label editor, together, and how many of their media were answered there.';
comment on column smartdb.exchange.exchange_id is 'Identity of the exchange.';
comment on column smartdb.exchange.editor is 'label_studio or cvat.';
comment on column smartdb.exchange.project is 'The project whose tasks went out; null for tasks of no project.';
comment on column smartdb.exchange.ontology is 'The ontology whose classes the editor offers.';
comment on column smartdb.exchange.n_media is 'Media that went out.';
comment on column smartdb.exchange.n_answered is 'Media that somebody said something of there.';
comment on column smartdb.exchange.n_conflicts is 'Conflicts that wait for a decision.';
comment on column smartdb.exchange.n_refused is 'Annotations that could not be taken in.';
comment on column smartdb.exchange.run_id is 'The run that wrote the tasks.';
comment on column smartdb.exchange.created_at is 'When they went out.';

-- example:
--   select editor, n_media, n_answered, n_conflicts, n_refused from smartdb.exchange
-- result:
--   label_studio | 2 | 1 | 1 | 1
