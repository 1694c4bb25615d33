"""The sheets that hold a word which a question quotes: 「標準化」という言葉が出てくるシステム."""

from __future__ import annotations

import re
from collections import defaultdict

from assistant import listing
from assistant.context import Context
from assistant.drafts import Draft, readable
from assistant.selection import Matches, Proof
from corpus.normalize import squeeze
from index.types import PERSON_FIELD

_WORD = re.compile(
    r"[「『\"](?P<word>[^」』\"]{1,30})[」』\"](?:という|といった|の)?"
    r"(?:言葉|ことば|単語|語句|語|文言|用語|表現|記述|記載|キーワード|文字)[がをの]?(?:出て|出る|含|使わ|使っ|書か|書い|入っ|あ[るり]|載っ|見られ|登場)"
)
_SHEETS = re.compile(r"事業|事務|システム|シート|もの|課|どこ|どれ")
_PROOFS = 3  # of one sheet


def mentioned(context: Context) -> Draft | None:
    """The sheets whose text holds the quoted word, in the section that the question names if it names one.

    None where nothing of that is asked; a draft without citations where no sheet holds it.
    """
    query = context.query
    found = _WORD.search(query.text)
    if found is None or not _SHEETS.search(query.text[: found.start()] + query.text[found.end() :]):
        return None
    word = squeeze(found["word"])
    sheets = listing.candidates(context)
    fields = [f for f in query.asks("text") if not f.weak and not any(phrase in word for phrase in f.ask)]
    matches: Matches = defaultdict(list)
    for one in context.statements.of(sheets):
        if word not in one.key or one.field == PERSON_FIELD:
            continue
        inside = not fields or any(f.fits(one.label, one.field) for f in fields)
        if inside and len(matches[one.sheet.sheet_id]) < _PROOFS:
            matches[one.sheet.sheet_id].append(Proof(one.sheet, one.label, one.span, readable(one.text)))
    if not matches:
        where = f"の「{'・'.join(f.name for f in fields)}」の欄" if fields else ""
        context.missing = f"「{found['word']}」ということばは、探した{len(sheets)}件のシート{where}にありません。"
        return Draft(context.index, how="topic")
    return listing.listed(context, matches, sheets, "topic")
