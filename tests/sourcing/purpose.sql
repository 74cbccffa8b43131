-- Media 1 to 10 lie in a, 5 to 12 in b; 13 is a frame of 12, 14 of 1; 15 lies nowhere.

insert into core.run (kind, status, code_version, finished_at) values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri, allowed_use, expires_at, licence, jurisdiction) values
    ('a', 'file:///a', '{research,training}', null, 'CC0-1.0', 'EU'),
    ('b', 'file:///b', '{training,publication}', '2040-01-01', 'MIT', 'EU');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), case when i = 12 then 'video' else 'image' end, 'image/png', 9, 8, 8, 1
from generate_series(1, 12) as i;
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id, parent_media_id, frame_index, pts)
select sha256(i::text::bytea), 'frame', 'image/png', 9, 8, 8, 1, case i when 13 then 12 else 1 end, 0, 0
from generate_series(13, 14) as i;
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
values (sha256('15'), 'image', 'image/png', 9, 8, 8, 1);
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///a/' || i, 9, now() from generate_series(1, 10) as i union all
select i, 2, 'file:///b/' || i, 9, now() from generate_series(5, 12) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'one');
insert into core.class (ontology_id, name, version_from) values (1, 'apple', 1);
insert into core.actor (name, kind) values ('folders', 'import');
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1, 'import', 1 from generate_series(1, 14) as i;
