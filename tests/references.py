"""What a page makes a browser load: references of HTML, style sheets and scripts, and a walk over all of a server.

A mention is not a load: a script may carry ``"http://www.w3.org/2000/svg"`` for ever. What counts is

- what a browser loads without asking anybody: attributes that name a resource, ``url()`` and ``@import`` of styles, static
  imports of scripts and imports of a literal. All of it is collected here and has to stay on the server;
- what a script decides to load while it runs: no reading of the script tells that, so the requests of a real browser do
  (tests/offline_day.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import urlopen

# Attributes whose value is loaded, sent to or gone to; of <a> and <area> it is a way out for people, which is told apart.
LOADED = {"src", "href", "srcset", "imagesrcset", "poster", "data", "background", "action", "formaction", "manifest"}
STYLED = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.I)
_LITERAL = (
    r"""(?:"([^"\s]+)"|'([^'\s]+)'|`([^`\s$]+)`)"""  # in any of the three quotes, with nothing put together in it
)
IMPORTED = re.compile(
    rf"(?:\bimport\s*|\bfrom\s*|\bimport\s*\(\s*){_LITERAL}"  # import "x", from "x", import("x")
    rf"|\b(?:new\s+(?:Shared)?Worker|importScripts|serviceWorker\.register)\s*\(\s*(?:new\s+URL\s*\(\s*)?{_LITERAL}"
)
PARTS = re.compile(r"__vite__mapDeps=.*?\[(\"[^\]]*)\]")  # what a bundler lists to be loaded together with a part
# What a policy may name that is no other host: the server itself, nothing, the page's own scripts and styles.
OWN = re.compile(r"'self'|'none'|'unsafe-inline'|'unsafe-eval'|'nonce-[\w-]+'|data:|blob:")
INERT = ("data:", "blob:", "about:", "javascript:", "mailto:", "#")


@dataclass(frozen=True)
class Reference:
    """A reference as it stands on a page, and where it leads."""

    page: str
    how: str  # attribute, style, script or link (one that a person follows)
    url: str


@dataclass
class Walk:
    """Everything that can be reached on a server."""

    pages: dict[str, int] = field(default_factory=dict)  # path: status
    policies: dict[str, str] = field(default_factory=dict)  # path of an HTML page: what it lets a browser load
    outside: list[Reference] = field(default_factory=list)
    missing: list[Reference] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self.base = ""
        self._within = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._within = tag if tag in ("style", "script") else ""
        given = {name: value or "" for name, value in attributes}
        if tag == "base":
            self.base = given.get("href", "")
        for name, value in given.items():
            if name in LOADED:
                how = "link" if tag in ("a", "area") else "attribute"
                parts = [part.split()[0] for part in value.split(",") if part.strip()] if "srcset" in name else [value]
                self.found += [(how, part.strip()) for part in parts]
            elif name == "style":
                self.found += [("style", url) for url in styled(value)]
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.found.append(("attribute", given.get("content", "").partition("url=")[2]))

    def handle_data(self, data: str) -> None:
        if self._within == "style":
            self.found += [("style", url) for url in styled(data)]
        elif self._within == "script":
            self.found += [("script", url) for url in imported(data)]


def styled(text: str) -> list[str]:
    """What a style sheet loads."""
    return [next(filter(None, groups), "") for groups in STYLED.findall(text)]


def imported(text: str) -> list[str]:
    """What a script imports by a name that stands in it; addresses only, for a word in a text is no address."""
    found = [next(filter(None, groups), "") for groups in IMPORTED.findall(text)]
    found += [part.strip('"') for parts in PARTS.findall(text) for part in parts.split(",")]
    return [url for url in found if url.startswith((".", "/", "http:", "https:"))]


def references(page: str, kind: str, text: str) -> Iterator[Reference]:
    """The references of one answer of the server, whose content type is ``kind``."""
    if "html" in kind:
        reader = _Reader()
        reader.feed(text)
        base = urljoin(page, reader.base)
        found = reader.found
    else:
        base = page
        found = [("style", url) for url in styled(text)] if "css" in kind else []
        if "javascript" in kind:
            found = [("script", url) for url in imported(text)]
    for how, url in found:
        if url and not url.startswith(INERT):
            yield Reference(page, how, urldefrag(urljoin(base, url))[0])


def lets_outside(policy: str) -> list[str]:
    """The words of a Content-Security-Policy by which a page may load from another host; without one for everything else
    (``default-src``), that is one too."""
    rules = [rule.split() for rule in policy.split(";") if rule.strip()]
    words = [f"{rule[0]} {word}" for rule in rules for word in rule[1:] if not OWN.fullmatch(word)]
    return words if any(rule[0] == "default-src" for rule in rules) else [*words, "no default-src"]


def walk(address: str, starts: list[str], most: int = 2_000) -> Walk:
    """Follows every reference from the pages ``starts`` on; those that leave ``address`` are kept and not followed.

    A link for people is followed once a page, whatever is asked of the page: a list has a link for every way to sort it.
    """
    seen, found = {start.partition("?")[0] for start in starts} | set(starts), Walk()
    waiting: list[tuple[str, Reference | None]] = [(address + start, None) for start in starts]
    while waiting:
        url, source = waiting.pop()
        try:
            with urlopen(url, timeout=30) as response:
                status, kind = response.status, response.headers.get("content-type", "")
                policy = response.headers.get("content-security-policy", "")
                text = response.read().decode("utf-8", "replace") if re.search("html|css|javascript", kind) else ""
        except HTTPError as error:
            status, kind, text, policy = error.code, "", "", ""
        found.pages[url.removeprefix(address)] = status
        if "html" in kind:
            found.policies[url.removeprefix(address)] = policy
        assert len(found.pages) <= most, "the walk does not end"
        if status >= 400 and source:
            found.missing.append(source)
        for one in references(url, kind, text):
            parts = urlsplit(one.url)
            if f"{parts.scheme}://{parts.netloc}" != address:
                found.outside.append(one)
                continue
            path = one.url.removeprefix(address)
            path = path.partition("?")[0] if one.how == "link" else path
            if path not in seen:
                seen.add(path)
                waiting.append((one.url, one))
    return found
