-- How often each annotator was right, block of answers by block, and whether a block stands out.
create function smartdb.annotator_drift_by(n_answers integer)
returns table (
    actor text, ontology text, block bigint, n bigint, from_at timestamptz, to_at timestamptz,
    agreement double precision, earlier_agreement double precision, z double precision, p double precision, is_drift boolean
)
language sql stable parallel safe
begin atomic
    with expected as (
        select distinct on (e.media_id, e.ontology) e.media_id, e.ontology, e.class_id
        from (
            select g.media_id, k.ontology, g.class_id, 0 as rank
            from smartdb.gold as g join smartdb.ontology_class as k on k.class_id = g.class_id
            where g.kind = 'classification'
            union all
            select l.media_id, k.ontology, l.class_id, 1
            from smartdb.label_history as l join smartdb.ontology_class as k on k.class_id = l.class_id
            where l.rev_to is null and l.origin = 'consensus' and l.kind = 'classification'
        ) as e
        order by e.media_id, e.ontology, e.rank
    ),
    answer as (
        select
            j.actor, j.ontology, j.said_at, (j.class_id = e.class_id)::integer as is_right,
            (row_number() over (partition by j.actor, j.ontology order by j.rev_from, j.label_id) - 1)
            / greatest(annotator_drift_by.n_answers, 1) + 1 as block
        from smartdb.judgement as j
        join expected as e on e.media_id = j.media_id and e.ontology = j.ontology
    ),
    block as (
        select
            a.actor, a.ontology, a.block, count(*)::double precision as n, sum(a.is_right)::double precision as n_right,
            min(a.said_at) as from_at, max(a.said_at) as to_at
        from answer as a group by a.actor, a.ontology, a.block
    ),
    beside as (
        select
            b.*, sum(b.n) over so_far - b.n as n_before, sum(b.n_right) over so_far - b.n_right as n_before_right,
            sum(b.n_right) over so_far / sum(b.n) over so_far as share,
            count(*) over (partition by b.actor, b.ontology) as n_blocks
        from block as b window so_far as (partition by b.actor, b.ontology order by b.block)
    ),
    tested as (
        select
            s.*, case
                when least(s.n, s.n_before) * least(s.share, 1 - s.share) >= 5
                    then (s.n_right / s.n - s.n_before_right / s.n_before)
                        / sqrt(s.share * (1 - s.share) * (1 / s.n + 1 / s.n_before))
            end as z
        from beside as s
    )
    select
        t.actor, t.ontology, t.block, t.n::bigint, t.from_at, t.to_at, t.n_right / t.n,
        t.n_before_right / nullif(t.n_before, 0), t.z, smartdb.two_sided_p(t.z),
        coalesce(smartdb.two_sided_p(t.z) * t.n_blocks < 0.05, false)
    from tested as t;
end;
comment on function smartdb.annotator_drift_by(integer) is
    'Each annotator''s answers in order of time, in blocks of n_answers: how often they say what gold, else the consensus says, '
    'against all that the same annotator answered before, by the pooled test of two proportions. is_drift holds for a p below 0.05 divided '
    'by the number of blocks (Bonferroni); p is null where the test needs more answers (fewer than 5 expected right or wrong).';

-- example:
--   select count(*) from smartdb.annotator_drift_by(50)
-- result:
--   2
