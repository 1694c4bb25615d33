"""What a paper looks like in Word: the page, its header and footer, and the styles with their Japanese fonts."""

from __future__ import annotations

from typing import Any

from assistant.datewords import day_words, in_japan
from assistant.papers import HEADING, Paper, one_line

# The names Word in Japanese itself writes. Both the Latin and the East Asian font are named: without the second Word
# takes the theme's, and that may be a Latin one.
BODY_FONT, HEAD_FONT = "游明朝", "游ゴシック"
MARGIN_MM = 22
WIDTH_MM = 210 - 2 * MARGIN_MM


def set_page(document: Any, paper: Paper, heading: str = HEADING) -> None:
    """A4 with a heading and the date above, page numbers and the version of the index below."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(MARGIN_MM)
    section.top_margin, section.bottom_margin = Mm(25), Mm(22)
    section.header_distance = section.footer_distance = Mm(12)
    head = section.header.paragraphs[0]
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    head.add_run(f"{one_line(heading)[:60]}　{day_words(in_japan(paper.made).date())}")
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(foot, "PAGE")
    foot.add_run(" / ")
    _field(foot, "NUMPAGES")
    versions = dict.fromkeys(one.index_version for one in paper.asked if one.index_version)
    if versions:
        below = section.footer.add_paragraph(
            f"索引の版：{'、'.join(map(one_line, list(versions)[:3]))}", style="Footer"
        )
        below.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _field(paragraph: Any, code: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind in ("begin", "separate", "end"):
        run = paragraph.add_run()
        character = OxmlElement("w:fldChar")
        character.set(qn("w:fldCharType"), kind)
        run._r.append(character)
        if kind == "begin":
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {code} "
            paragraph.add_run()._r.append(instruction)
        if kind == "separate":
            paragraph.add_run("1")  # what is shown until Word counts


def set_styles(document: Any) -> None:
    """The styles of the paper: (name, size in points, bold, font, millimetres before and after, left indent)."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Mm, Pt, RGBColor

    styles = document.styles
    for name in ("Note", "Small", "Source", "Cell", "Date", "Footnote"):
        if name not in styles:
            styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    wanted = {
        "Normal": (10.5, False, BODY_FONT, 0.0, 1.0, 0.0),
        "Title": (16.0, True, HEAD_FONT, 0.0, 2.0, 0.0),
        "Heading 1": (12.5, True, HEAD_FONT, 7.0, 1.5, 0.0),
        "Heading 2": (10.5, True, HEAD_FONT, 3.5, 1.0, 0.0),
        "Body Text": (10.5, False, BODY_FONT, 0.0, 1.5, 0.0),
        "List Bullet": (10.5, False, BODY_FONT, 0.0, 0.8, -1.0),
        "Caption": (9.5, True, HEAD_FONT, 3.0, 1.0, 0.0),
        "Note": (9.0, False, BODY_FONT, 1.0, 3.0, 0.0),
        "Small": (9.0, False, BODY_FONT, 0.0, 1.5, 0.0),
        "Source": (9.0, False, BODY_FONT, 0.0, 1.2, 6.0),
        "Footnote": (8.5, False, BODY_FONT, 0.0, 0.3, 4.0),
        "Cell": (9.0, False, BODY_FONT, 0.3, 0.3, 0.0),
        "Date": (10.5, False, BODY_FONT, 0.0, 1.0, 0.0),
        "Header": (8.5, False, BODY_FONT, 0.0, 0.0, 0.0),
        "Footer": (8.5, False, BODY_FONT, 0.0, 0.0, 0.0),
    }
    for name, (size, bold, font, before, after, indent) in wanted.items():
        style = styles[name]
        style.font.size, style.font.bold = Pt(size), bold
        style.font.italic = False
        style.font.color.rgb = RGBColor(0, 0, 0)
        shape = style.paragraph_format
        shape.space_before, shape.space_after, shape.line_spacing = Mm(before), Mm(after), 1.25
        if indent > 0:
            shape.left_indent, shape.first_line_indent = Mm(indent), Mm(-indent)
        _fonts(style.element, font)
    styles["Caption"].paragraph_format.keep_with_next = True
    link = styles.add_style("Link", WD_STYLE_TYPE.CHARACTER)
    link.font.color.rgb = RGBColor(0x0B, 0x53, 0x94)
    mark = styles.add_style("Footnote Mark", WD_STYLE_TYPE.CHARACTER)
    mark.font.superscript = True
    _fonts(styles.element.find(".//{*}docDefaults"), BODY_FONT)
    _edges(styles["Title"])


def set_modern(document: Any) -> None:
    """The template is of Word 2010; without this Word opens the file in 互換モード."""
    from docx.oxml.ns import qn

    for setting in document.settings.element.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")


def _fonts(element: Any, font: str) -> None:
    """Names the font for every script, and takes out the theme's, which would win."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = next(iter(element.iter(qn("w:rPr"))), None)
    if properties is None:
        properties = element.get_or_add_rPr()
    old = properties.find(qn("w:rFonts"))
    if old is not None:
        properties.remove(old)
    fonts = OxmlElement("w:rFonts")
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), font)
    properties.insert(0, fonts)
    language = properties.find(qn("w:lang"))
    if language is not None:
        # Latin text stays English: a Japanese rule of line breaks would cut a figure in two.
        language.set(qn("w:val"), "en-US")
        language.set(qn("w:eastAsia"), "ja-JP")


def _edges(style: Any) -> None:
    """The template draws a blue line under a title; a paper of an office has none."""
    from docx.oxml.ns import qn

    for edges in list(style.element.iter(qn("w:pBdr"))):
        edges.getparent().remove(edges)
