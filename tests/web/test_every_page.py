"""The list of every page is whole: what is tested on all pages is tested on each."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.routing import Match, Route

import bilderatlas.api as ba
from bilderatlas.web import urls
from bilderatlas.web.app import create_app
from bilderatlas.web.security import Access
from tests.web.every_page import every_page


def test_every_page_is_walked(full_library: ba.Library) -> None:
    """A page is what has a JSON twin."""
    app = create_app(full_library, Access.local(8642))._app._app
    routes = [one for one in app.routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    paths = {one.path for one in routes}
    pages = {path for path in paths if path + urls.JSON_SUFFIX in paths or path == urls.HOME}
    walked = set()
    for address in every_page(full_library):
        scope = {"type": "http", "method": "GET", "path": urlsplit(address).path, "headers": []}
        found = next((one for one in routes if one.matches(scope)[0] is Match.FULL), None)
        walked |= {found.path} if found else set()
    assert pages - walked == set()
