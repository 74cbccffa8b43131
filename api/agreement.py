"""Agreement of annotators, and what they say together."""

from __future__ import annotations

from flask import Blueprint
from pydantic import Field

from smartdb import agreement, annotators, pages

from . import cursors
from .database import read
from .fields import Name, PageQuery, Query, Resource
from .spec import operation

routes = Blueprint("agreement", __name__, url_prefix="/v1")


class AgreementQuery(Query):
    """Whose classes."""

    ontology: Name | None = None


class Overall(Resource):
    """Agreement of all annotators on what two or more judged; null where there is no telling."""

    ontology: str
    n_media: int
    n_judgements: int
    agreement: float
    fleiss_kappa: float | None = Field(description="Null where media have unequal judgements.")
    alpha: float | None = Field(description="Krippendorff's, for nominal data.")


class Pair(Resource):
    """Cohen's kappa of two annotators."""

    ontology: str
    actor_a: str
    actor_b: str
    n: int
    agreement: float
    kappa: float | None


class Annotator(Resource):
    """An annotator's shares of right answers, with 95 % intervals."""

    actor: str
    n_consensus: int
    consensus_agreement: float | None
    consensus_low: float | None
    consensus_high: float | None
    n_reviewed: int
    accepted: float | None
    accepted_low: float | None
    accepted_high: float | None


class Agreement(Resource):
    """How far annotators agree."""

    overall: list[Overall]
    pairs: list[Pair]
    annotators: list[Annotator]


class ConsensusQuery(PageQuery):
    """Which of the consensus."""

    method: Name | None = Field(None, description="majority, dawid-skene, crowdlab, ...")


class Consensus(Resource):
    """What annotators say together about a media."""

    label_id: int
    media_id: int
    class_: str = Field(alias="class")
    kind: str
    confidence: float | None
    n_judgements: int | None
    n_agreeing: int | None
    method: str


class ConsensusPage(Resource):
    """A page of the consensus, in the order of its labels."""

    items: list[Consensus]
    next: str | None


@routes.get("/agreement")
@operation("reviewing", Agreement)
def get_agreement(query: AgreementQuery) -> Agreement:
    """Say how far annotators agree, overall and by pairs, and how good each is."""
    found = {
        "overall": read(agreement.overall, query.ontology),
        "pairs": read(agreement.pairs, query.ontology),
        "annotators": read(annotators.quality),
    }
    return Agreement.model_validate(found)


@routes.get("/consensus")
@operation("reviewing", ConsensusPage)
def list_consensus(query: ConsensusQuery) -> ConsensusPage:
    """List what annotators say together, in the order of the labels."""
    (after,) = cursors.start(query, int)
    rows = read(pages.consensus_page, query.method, after, query.limit + 1)
    items, following = cursors.page(rows, query, "label_id")
    return ConsensusPage.model_validate({"items": items, "next": following})
