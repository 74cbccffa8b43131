"""Class folders: split/class/file, as image folders of torchvision and Hugging Face have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from smartdb.errors import InvalidInput
from smartdb.export_plan import Part, Plan
from smartdb.export_rows import Sample
from smartdb.export_work import Done, Work
from smartdb.formats.base import Problem
from smartdb.layouts import pictures


class ClassFolders:
    """The one class of a media is the name of its folder; nothing else that is said is held."""

    IS_SHARDED: ClassVar[bool] = False

    def check(self, plan: Plan) -> None:
        """InvalidInput without pictures: there is nothing else."""
        if plan.pictures == "none":
            raise InvalidInput(
                "class folders hold nothing but pictures; copy them, or link to them"
            )

    def write(self, work: Work, part: Part) -> Done:
        """Writes pictures into the folders of their classes."""
        problems: list[Problem] = []
        done = pictures.write(work, _called(work, part, problems))
        done.tell(problems)
        return done

    def finish(self, work: Work) -> Done:  # noqa: ARG002
        """There are no documents."""
        return Done()


def _called(work: Work, part: Part, problems: list[Problem]) -> Iterator[tuple[Sample, str]]:
    for sample in work.samples(part, lambda _, name: name):
        where, class_name = f"media {sample.content.media_id}", sample.class_name
        problems += (
            Problem(label.where, "unsupported", f"class folders hold one class, no {label.kind}")
            for label in sample.labels
            if (label.kind, label.class_name) != ("classification", class_name)
        )
        if class_name is None:
            problems.append(Problem(where, "unsupported", "it has no class; it is left out"))
        elif "/" in class_name or class_name.startswith(".") or not class_name.isprintable():
            detail = f"no folder can be called {class_name!r}; it is left out"
            problems.append(Problem(where, "unsupported", detail))
        else:
            yield sample, f"{sample.split}/{class_name}/{sample.name}"


FOLDERS = ClassFolders()
