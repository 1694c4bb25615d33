"""A programme on a form: the lines and tables of one sheet, and the figures that are printed on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from evals.layouts.design import Design
from evals.layouts.truth import TrueIndicator, TrueSheet

# Cells that a merged neighbour covers.
LEFT, UP = "\x01", "\x02"
Kind = Literal["plan", "actual"] | None
_WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789,.RHS"}
_SCALE = {"円": 1, "千円": 1_000, "百万円": 1_000_000}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; ``label`` marks one that is a heading or a label, ``value`` what belongs to the line before."""

    text: str
    label: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; LEFT and UP stand for cells that a merged one covers. ``labels`` are the cells that are print."""

    rows: tuple[tuple[str, ...], ...]


Block = Line | Table


@dataclass
class Printed:
    """A laid-out sheet with the figures it shows: amounts in 円 by (role, year, kind), indicators by (name, year, kind)."""

    sheet: TrueSheet
    blocks: list[Block] = field(default_factory=list)
    amounts: dict[tuple[str, int, Kind], int] = field(default_factory=dict)
    indicators: dict[tuple[str, int, Kind], float] = field(default_factory=dict)


class Press:
    """Prints programmes on one form."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._headings = 0

    def print(self, sheet: TrueSheet) -> Printed:
        """The sheet's lines and tables in the form's order."""
        out = Printed(sheet)
        self._headings = 0
        self._title(out)
        self._head(out)
        for block in self.design.order:
            {"texts": self._texts, "money": self._money, "indicators": self._indicators, "check": self._check}[block](
                out
            )
        return out

    # ---- small prints -----------------------------------------------------------------------------------------------

    def era(self, year: int) -> str:
        """A fiscal year in the form's style: 令和5年度, R5, 2023年度, 5年度."""
        eras = (("令和", "R", 2018), ("平成", "H", 1988), ("昭和", "S", 1925))
        name, letter, number = next((n, c, year - before) for n, c, before in eras if year > before)
        spoken = "元" if number == 1 else str(number)
        return {
            "令和5年度": f"{name}{spoken}年度",
            "R5": f"{letter}{number}",
            "R5年度": f"{letter}{number}年度",
            "令和５年度": f"{name}{spoken}年度".translate(_WIDE),
            "2023年度": f"{year}年度",
            "5年度": f"{spoken}年度",
            "Ｒ５年度": f"{letter}{number}年度".translate(_WIDE),
            "令和 5 年度": f"{name} {spoken} 年度",
        }[self.design.era]

    def full_era(self, year: int) -> str:
        """A fiscal year as a title says it: never without its era."""
        if self.design.era != "5年度":
            return self.era(year)
        return f"令和{year - 2018}年度" if year > 2019 else "令和元年度" if year == 2019 else f"平成{year - 1988}年度"

    def _heading(self, out: Printed, key: str, unit: str = "") -> None:
        text = self.design.headings[key]
        if not text:
            return
        self._headings += 1
        mark = self.design.mark
        if "{t}" in mark:
            text = mark.format(t=text)
        elif not text[0].isdigit() and text[0] not in "１２３４ⅠⅡⅢⅣ":
            text = mark.format(n=self._headings) + text
        out.blocks.append(Line(text + unit, label=True))

    def money(self, value: int | None) -> tuple[str, int | None]:
        """How an amount is printed, and what it says in 円 then."""
        if value is None:
            return self.design.empty, None
        scale = _SCALE[self.design.unit]
        if scale == 1_000_000:
            printed, shown = f"{value / scale:,.1f}", round(round(value / scale, 1) * scale)
        else:
            printed, shown = f"{round(value / scale):,}", round(value / scale) * scale
        if self.design.wide_digits:
            printed = printed.translate(_WIDE)
        if self.design.unit_at == "cell":
            printed += self.design.unit
        return printed, shown

    def number(self, value: float | None, unit: str = "") -> str:
        """An indicator's figure as printed."""
        return self.design.empty if value is None else f"{value:,.2f}".rstrip("0").rstrip(".") + unit

    def _label(self, role: str, unit: bool = False) -> str:
        word = self.design.words[role]
        return f"{word}（{self.design.unit}）" if unit and self.design.unit_at == "label" else word

    # ---- the head ---------------------------------------------------------------------------------------------------

    def _title(self, out: Printed) -> None:
        sheet = out.sheet
        if self.design.town_line and "{town}" not in self.design.title:
            out.blocks.append(Line(sheet.town))
        title = self.design.title.format(
            year=self.full_era(sheet.year), next=self.full_era(sheet.year + 1), town=sheet.town
        )
        out.blocks.append(Line(title))

    def _head(self, out: Printed) -> None:
        sheet, word = out.sheet, self.design.words
        pairs = [(word["name"], sheet.name)]
        if self.design.organisation == "apart":
            pairs += [(word["division"], sheet.division), (word["section"], sheet.section)]
        elif self.design.organisation == "joined":
            pairs.append((word["joined"], f"{sheet.division} {sheet.section}"))
        else:
            pairs.append((word["section"], sheet.section))
        if self.design.code_row:
            pairs.insert(0, (word["code"], sheet.code))
        if self.design.year_row:
            pairs.append((word["year"], self.full_era(sheet.year)))
        if self.design.person_row:
            pairs.append((word["person"], sheet.person))
        pairs += [(word["since"], self.full_era(sheet.since)), (word["method"], sheet.method), (word["law"], sheet.law)]
        if self.design.headings["basic"] and self.design.head != "colon":
            self._heading(out, "basic")
        out.blocks += self._pairs(pairs)

    def _pairs(self, pairs: list[tuple[str, str]]) -> list[Block]:
        style = self.design.head
        if style == "colon":
            return [Line(f"{label}：{value}") for label, value in pairs]
        if style == "label lines":
            return [line for label, value in pairs for line in (Line(label, label=True), Line(value))]
        if style == "brackets":
            return [Line(f"【{label}】{value}") for label, value in pairs]
        if style == "labels over values":
            rows: list[tuple[str, ...]] = []
            for at in range(0, len(pairs), 3):
                group = pairs[at : at + 3]
                group += [("", "")] * (3 - len(group)) if len(pairs) > 3 else []
                rows += [tuple(label for label, _ in group), tuple(value for _, value in group)]
            return [Table(tuple(rows))]
        across = {"pairs": 1, "pairs of two": 2, "pairs of three": 3}[style]
        rows = []
        for at in range(0, len(pairs), across):
            group = pairs[at : at + across]
            cells = [cell for pair in group for cell in pair]
            cells += [LEFT] * (2 * across - len(cells))
            rows.append(tuple(cells))
        return [Table(tuple(rows))]

    # ---- texts, ratings ---------------------------------------------------------------------------------------------

    def _texts(self, out: Printed) -> None:
        word, sheet = self.design.words, out.sheet
        self._labelled(out, [(word["purpose"], sheet.purpose), (word["content"], sheet.content)])

    def _labelled(self, out: Printed, pairs: list[tuple[str, str]]) -> None:
        style = self.design.texts
        for number, (label, text) in enumerate(pairs, start=1):
            if style == "heading":
                out.blocks += [Line(f"({number}) {label}", label=True), Line(text)]
            elif style == "bracket":
                out.blocks += [Line(f"【{label}】", label=True), Line(text)]
            elif style == "colon":
                out.blocks.append(Line(f"{label}：{text}"))
        if style in ("table", "wide"):
            extra = (LEFT, LEFT) if style == "wide" else ()
            out.blocks.append(Table(tuple((label, text, *extra) for label, text in pairs)))

    def _check(self, out: Printed) -> None:
        word, sheet = self.design.words, out.sheet
        self._heading(out, "check")
        roles = ("relevance", "effect", "efficiency", "overall")
        rows = [(word[role], mark) for role, mark in zip(roles, sheet.ratings, strict=True)]
        out.blocks.append(Table((*rows, (word["direction"], sheet.plan))))

    # ---- money ------------------------------------------------------------------------------------------------------

    def _money(self, out: Printed) -> None:
        from evals.layouts.money import money_blocks

        above = f"（単位：{self.design.unit}）"
        self._heading(out, "money", above if self.design.unit_at == "heading" and self.design.headings["money"] else "")
        if self.design.unit_at == "above":
            out.blocks.append(Line(above))
        out.blocks += money_blocks(self, out)

    # ---- indicators -------------------------------------------------------------------------------------------------

    def _indicators(self, out: Printed) -> None:
        from evals.layouts.results import result_blocks

        shown: list[TrueIndicator] = list(out.sheet.indicators)
        if not shown:
            return
        self._heading(out, "results")
        out.blocks += result_blocks(self, out, shown)
