"""The site: what every file of routes needs to add its own to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from bilderatlas.errors import BilderatlasError
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.pages.error import ErrorPage, error_page
from bilderatlas.web.rendering import Page, Renderer
from bilderatlas.web.security import Mode

if TYPE_CHECKING:
    from bilderatlas.api import Library

PART_HEADER = "X-Part"  # an island asks for a part of a page, which it puts in place of its own
IMMUTABLE = "private, max-age=31536000, immutable"

PageFunction: TypeAlias = Callable[[Request], Page]
Endpoint: TypeAlias = Callable[[Request], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Site:
    """An application, the library that it shows, and how it shows it.

    Attributes:
        app: Where routes are added.
        library: What is shown.
        renderer: Makes HTML and JSON of pages.
        answers: What was answered lately.
    """

    app: FastAPI
    library: Library
    renderer: Renderer
    answers: Answers

    @property
    def mode(self) -> Mode:
        """Whom the site serves."""
        return self.renderer.mode

    @property
    def local(self) -> bool:
        """Tell whether it serves its owner alone, who may change things."""
        return self.mode is Mode.LOCAL

    def twins(
        self,
        path: str,
        data: PageFunction,
        *,
        json_path: str = "",
        parts: Mapping[str, str] | None = None,
        spelled: Callable[[Request], str] | None = None,
    ) -> None:
        """Route a page and its JSON twin to the one function that gathers their data.

        Args:
            path: Of the page.
            data: Gathers its data.
            json_path: Of the twin; empty: the page's with a suffix.
            parts: Parts of the page that can be had alone: what `PART_HEADER` names → template.
            spelled: Returns the address of the page where a form without scripts asked for it in
                words of its own; else nothing.
        """
        templates = parts or {}

        def as_json(request: Request) -> Response:
            return self.renderer.json(data(request))

        def as_html(request: Request) -> Response:
            params = request.query_params.multi_items()
            twin = urls.json_twin(request.scope["path"], params)
            here = urls.with_params(json_path, params) if json_path else twin
            if spelled is not None and (address := spelled(request)):
                return RedirectResponse(address, status_code=303)
            part = templates.get(request.headers.get(PART_HEADER, ""), "")
            answer = self.renderer.html(data(request), here=here, template=part)
            if templates:
                answer.headers["Vary"] = PART_HEADER
            return answer

        self.get(json_path or path + urls.JSON_SUFFIX, as_json)
        self.get(path, as_html)

    def get(self, path: str, endpoint: Endpoint) -> None:
        """Route what is read; one that is no coroutine runs in a thread."""
        self.app.add_route(path, endpoint, methods=["GET"])

    def post(self, path: str, endpoint: Endpoint) -> None:
        """Route what changes something; the guard lets it in from our own pages only."""
        self.app.add_route(path, endpoint, methods=["POST"])

    def refuse(self, request: Request, error: BilderatlasError, *, back_url: str = "") -> Response:
        """Answer with what went wrong, and a way back."""
        return self.page(request, error_page(error, back_url))

    def page(self, request: Request, page: ErrorPage) -> Response:
        """Render what went wrong in the form that the request asks for."""
        return self.renderer.json(page) if wants_json(request) else self.renderer.html(page)


def wants_json(request: Request) -> bool:
    """Tell whether a program asks, by the suffix of the address or by what it accepts."""
    accepted = request.headers.get("accept", "")
    asked = "application/json" in accepted and "text/html" not in accepted
    return asked or request.url.path.endswith(urls.JSON_SUFFIX)
