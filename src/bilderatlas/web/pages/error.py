"""What went wrong: what, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bilderatlas.errors import BilderatlasError

TITLES = {
    400: "This cannot be asked",
    403: "Not for everyone",
    404: "Nothing hangs here",
    405: "This cannot be done here",
    409: "Somebody else was first",
    422: "This cannot be read",
    503: "Something is missing",
    507: "The disk is full",
}


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """The data of an error; `back_url` leads to the question where there was one."""

    template: ClassVar[str] = "error.html"
    status: int
    code: str
    message: str
    back_url: str = ""

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return TITLES.get(self.status, "Something went wrong")

    def to_json(self) -> dict[str, Any]:
        """Return the code and the sentence."""
        return {"error": {"code": self.code, "message": self.message}}


def error_page(error: BilderatlasError, back_url: str = "") -> ErrorPage:
    """Return the page of an error of ours, in its own words."""
    return ErrorPage(error.http_status, error.code, str(error), back_url)
