"""Types that requests and answers are made of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LARGEST = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=LARGEST)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Actor = Annotated[Name, Field(description="Name of the person who does this.")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Query(BaseModel):
    """A query string; a parameter that is not known is an error."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=False, validate_by_alias=True
    )


class PageQuery(Query):
    """A query string that asks for a page."""

    limit: int = Field(50, ge=1, le=500, description="Items on a page.")
    after: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        None, description="`next` of the page before."
    )


class Body(BaseModel):
    """A JSON request; a key that is not known, or a value of another type, is an error."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)


class Resource(BaseModel):
    """A JSON answer."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, serialize_by_alias=True, from_attributes=True
    )
