"""Reads pages as a program can: links, texts, forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
MAY_STAY_OPEN = {"li", "dt", "dd", "p", "option"}


@dataclass
class Element:
    """One element with its attributes and its text."""

    tag: str
    attributes: dict[str, str]
    path: tuple[str, ...]
    text: str = ""

    def get(self, name: str) -> str:
        """Return an attribute; empty if there is none."""
        return self.attributes.get(name, "")


@dataclass
class Document(HTMLParser):
    """A parsed page; it fails on tags that do not close as they opened."""

    source: str
    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Parse the whole page at once."""
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        self.problems += [f"<{one.tag}> is never closed" for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        path = tuple(one.tag for one in self._open)
        element = Element(tag, {name: value or "" for name, value in attrs}, path)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself (SVG)."""
        self.elements.append(Element(tag, {n: v or "" for n, v in attrs}, ()))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element; it must be this one."""
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        else:
            self.problems.append(f"</{tag}> closes {[one.tag for one in self._open[-3:]]}")

    def handle_data(self, data: str) -> None:
        """Give text to all open elements."""
        for one in self._open:
            one.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag with these attributes (`class_` holds one of the words)."""
        wanted_class = attributes.pop("class_", None)
        return [
            one
            for one in self.elements
            if one.tag == tag
            and all(one.get(name) == value for name, value in attributes.items())
            and (wanted_class is None or wanted_class in one.get("class").split())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} × <{tag}> {attributes}"
        return found[0]

    def says(self, text: str) -> bool:
        """Tell whether the page shows `text` (white space aside)."""
        body = self.one("body").text
        return text in " ".join(body.split())
