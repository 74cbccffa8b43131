-- Annotating: who changed or took back which label, and why. What it was and became are label rows.

create table core.label_edit (
    edit_id bigint generated always as identity,
    media_id bigint not null,
    label_id bigint not null,
    new_label_id bigint,
    actor_id bigint not null,
    reason text,
    created_at timestamptz not null default now(),
    constraint label_edit_pk primary key (edit_id),
    constraint label_edit_new_check check (new_label_id <> label_id),
    constraint label_edit_reason_check check (length(reason) between 1 and 2000)
);
create unique index label_edit_label_key on core.label_edit (label_id);
create index label_edit_new_idx on core.label_edit (new_label_id) where new_label_id is not null;
create index label_edit_media_idx on core.label_edit (media_id);
call core.protect('core.label_edit');
call core.refer('core.label_edit', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {new_label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.label_edit is
    'A change of a label by a person: the row that was closed, the row that took its place, who, and why.';
comment on column core.label_edit.edit_id is 'Identity of the edit.';
comment on column core.label_edit.media_id is 'The labelled media.';
comment on column core.label_edit.label_id is 'The label row that was closed: what was said before, and by whom.';
comment on column core.label_edit.new_label_id is 'The label row that took its place; null: the label was removed.';
comment on column core.label_edit.actor_id is 'Who changed it.';
comment on column core.label_edit.reason is 'Why, for a person.';
comment on column core.label_edit.created_at is 'When, for people; order is told by the revisions of the label rows.';
