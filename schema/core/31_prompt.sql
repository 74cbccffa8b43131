-- Managing: texts that an encoder's text tower turned into vectors, to search pictures with in SQL.

create table core.prompt (
    encoder_id bigint not null,
    text text not null,
    v halfvec not null,
    created_at timestamptz not null default now(),
    constraint prompt_pk primary key (encoder_id, text),
    constraint prompt_text_check check (text <> '' and length(text) <= 2000),
    constraint prompt_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
comment on table core.prompt is 'Texts as vectors of an encoder''s text tower: smartdb.prompt(text) finds them.';
comment on column core.prompt.encoder_id is 'The encoder, whose pictures lie in the same space.';
comment on column core.prompt.text is 'The text as it was given, for instance a red car at night.';
comment on column core.prompt.v is 'Its vector, of length 1.';
comment on column core.prompt.created_at is 'When it was saved.';
