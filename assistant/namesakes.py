"""Sheets of one name among which a question does not say which is meant."""

from __future__ import annotations

from collections.abc import Collection

from assistant.context import Context
from assistant.drafts import readable
from assistant.types import Namesake
from corpus.documents import Sheet
from corpus.normalize import squeeze


def namesakes(context: Context, cited: Collection[Sheet] = ()) -> tuple[Namesake, ...]:
    """The sheets that bear the name the question gives, one a programme, if they are several; what is chosen is used.

    ``cited`` are the sheets that the answer quotes.

    Two towns or two departments in the question mean both of their sheets: then nothing is left to choose.
    """
    query = context.query
    if len(query.municipalities) > 1 or len(query.departments) > 1:
        return ()
    used = [f.sheet for f in context.focus() if f.named]
    if not used:
        return ()
    name = squeeze(used[0].name)
    rivals = context.of_the_year([match.sheet for match in query.rivals])
    found = {s.sheet_id: s for s in (*used, *rivals) if squeeze(s.name) == name and s.kind == "programme"}
    if len(found) < 2:
        return ()
    sheets = [sheet for sheet in context.catalogue.of_name(name) if sheet.sheet_id in found]
    taken = {sheet.sheet_id for sheet in used}
    quoted = {sheet.sheet_id for sheet in cited}
    return tuple(
        Namesake(
            sheet.sheet_id,
            _told_apart(sheet, sheets),
            sheet.sheet_id in taken,
            bool(quoted & {one.sheet_id for one in (sheet, *context.index.timeline(sheet.sheet_id))}),
        )
        for sheet in sheets
    )


def _told_apart(sheet: Sheet, among: list[Sheet]) -> str:
    """The fewest words that tell a sheet from its namesakes: its town, its department, its year, or else its number."""
    parts = (
        (sheet.municipality, {s.municipality for s in among}),
        (sheet.department, {s.department for s in among}),
        (f"{sheet.fiscal_year}年度" if sheet.fiscal_year else "", {str(s.fiscal_year) for s in among}),
    )
    told = [part for part, kinds in parts if len(kinds) > 1 and part]
    alike = [
        s
        for s in among
        if (s.municipality, s.department, s.fiscal_year) == (sheet.municipality, sheet.department, sheet.fiscal_year)
    ]
    if len(alike) > 1:
        told.append(f"{alike.index(sheet) + 1}件目")
    return " ".join(told) or readable(sheet.name)
