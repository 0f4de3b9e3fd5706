"""Long lists in pages: which part is shown, and where the others are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import thousands

PER_PAGE = 100
PAGE_PARAM = "page"


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list.

    Attributes:
        number: From 1.
        n_items: In the whole list.
        url: Address of the list, without the number of the page.
        params: What else the address says.
        per_page: Items on a page.
    """

    number: int
    n_items: int
    url: str
    params: tuple[tuple[str, str], ...] = ()
    per_page: int = PER_PAGE

    @classmethod
    def read(cls, params: Iterable[tuple[str, str]], n_items: int, url: str) -> Self:
        """Read the number of the page; one that is not there becomes the nearest that is."""
        pairs = tuple(params)
        asked = next((value for name, value in pairs if name == PAGE_PARAM), "1")
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
        kept = tuple(pair for pair in pairs if pair[0] != PAGE_PARAM)
        made = cls(1, n_items, url, kept)
        return cls(min(max(number, 1), made.n_pages), n_items, url, kept)

    @property
    def n_pages(self) -> int:
        """How many pages there are; one if there is nothing."""
        return max(-(-self.n_items // self.per_page), 1)

    @property
    def slice(self) -> slice:
        """The part of the list that is on this page."""
        first = (self.number - 1) * self.per_page
        return slice(first, first + self.per_page)

    @property
    def shown(self) -> str:
        """Which items these are; empty where all of them are here."""
        if self.n_pages == 1:
            return ""
        first = self.slice.start + 1
        last = min(self.slice.stop, self.n_items)
        return _(
            "%(first)s–%(last)s of %(all)s",
            first=thousands(first),
            last=thousands(last),
            all=thousands(self.n_items),
        )

    @property
    def previous_url(self) -> str:
        """The page before; empty on the first."""
        return self._url(self.number - 1) if self.number > 1 else ""

    @property
    def next_url(self) -> str:
        """The next page; empty on the last."""
        return self._url(self.number + 1) if self.number < self.n_pages else ""

    def _url(self, number: int) -> str:
        page = [(PAGE_PARAM, str(number))] if number > 1 else []
        return urls.with_params(self.url, [*self.params, *page])
