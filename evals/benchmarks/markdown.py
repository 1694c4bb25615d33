"""Tables in Markdown files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def between(text: str, mark: str, inside: str) -> str:
    """The text with what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced; as it is without them."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    return f"{head}{begin}\n{inside.strip()}\n{end}{tail}" if found and closed else text


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = ["| " + " | ".join(cells) + " |" for cells in (head, *lines)]
    return "\n".join([rows[0], "|" + "---|" * len(head), *rows[1:]])
