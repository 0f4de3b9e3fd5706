"""What went wrong: what, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bilderatlas.errors import BilderatlasError
from bilderatlas.words import mark

TITLES = {
    400: mark("This cannot be asked"),
    403: mark("Not for everyone"),
    404: mark("Nothing hangs here"),
    405: mark("This cannot be done here"),
    409: mark("Somebody else was first"),
    422: mark("This cannot be read"),
    503: mark("Something is missing"),
    507: mark("The disk is full"),
}


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """The data of an error.

    Attributes:
        status: Of the answer.
        code: For programs.
        message: What could not be done, why, and what to do.
        back_url: Leads to the question, where there was one.
        is_english: Whether the message is; what rooms below say is.
    """

    template: ClassVar[str] = "error.html"
    status: int
    code: str
    message: str
    back_url: str = ""
    is_english: bool = True

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return TITLES.get(self.status, mark("Something went wrong"))

    def to_json(self) -> dict[str, Any]:
        """Return the code and the sentence."""
        return {"error": {"code": self.code, "message": self.message}}


def error_page(error: BilderatlasError, back_url: str = "") -> ErrorPage:
    """Return the page of an error of ours, in its own words."""
    return ErrorPage(error.http_status, error.code, str(error), back_url)
