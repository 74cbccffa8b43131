-- Which ways of choosing frames have been carried out on which videos, so that none is done again.

create table core.extraction (
    media_id bigint not null,
    recipe jsonb not null,
    n_frames integer not null,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint extraction_pk primary key (media_id, recipe),
    constraint extraction_n_frames_check check (n_frames >= 0)
);
create index extraction_run_idx on core.extraction (run_id);
call core.protect('core.extraction');
call core.refer('core.extraction', '{
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.extraction is
    'A way of choosing frames that was carried out on a video to its end; its frames are media of their own.';
comment on column core.extraction.media_id is 'The video.';
comment on column core.extraction.recipe is
    'How frames were chosen: {"step": "frame", "by": "interval", "seconds": 1}, "key_frames", or "scenes" with a threshold.';
comment on column core.extraction.n_frames is 'Frames that it chose, those that were there already included.';
comment on column core.extraction.run_id is 'The run that did it.';
comment on column core.extraction.created_at is 'When.';
