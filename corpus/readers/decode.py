"""Bytes to text: which of the encodings Japanese files come in a file is written in."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What a file really is when its name says text; the start of the file gives it away.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP形式（Excel・Wordなど）"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "旧形式のExcel・Word（または暗号化された文書）"),
    (b"\x89PNG\r\n", "画像（PNG）"),
    (b"\xff\xd8\xff", "画像（JPEG）"),
    (b"GIF8", "画像（GIF）"),
    (b"II*\x00", "画像（TIFF）"),
    (b"MM\x00*", "画像（TIFF）"),
    (b"\x1f\x8b", "gzip圧縮"),
    (b"7z\xbc\xaf\x27\x1c", "7z圧縮"),
    (b"MZ", "実行ファイル"),
    (b"\x7fELF", "実行ファイル"),
)

_BOMS = (
    # UTF-32 before UTF-16: the little-endian marks begin alike.
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE = 200_000
# A text may hold tabs, line and page breaks and the old end-of-file mark, no other control characters.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_COMMON = re.compile(r"[ぁ-ゖァ-ヺー-ヾ々〆、-】〜―…・！-～￥－‐①-⑳Ⅰ-Ⅹ○●◎△▲▽▼□■◆◇☆★→←↑↓×÷±°′″℃§※〒＊]")
_KANJI = re.compile(r"[一-龠﨑髙\U00020000-\U0002ffff]")
_HALF_KANA = re.compile(r"[｡-ﾟ]")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_ESCAPES = re.compile(rb"(\x1b\$[@B]|\x1b\([BJI])")


class NotTextError(ValueError):
    """The bytes are no text in any encoding we know; ``kind`` names what they look like ("" when unknown)."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind)
        self.kind = kind


def decode(data: bytes) -> tuple[str, str, int]:
    """The text, the name of its encoding, and how many bytes could not be read.

    Line ends stay as they are; a byte order mark is no part of the text.

    >>> decode("評価シート\\r\\n".encode("cp932"))
    ('評価シート\\r\\n', 'cp932', 0)
    """
    for start, kind in SIGNATURES:
        # "MZ" alone may well open a text; a program has NULs right after it.
        if data.startswith(start) and (len(start) > 2 or b"\x00" in data[:64]):
            raise NotTextError(kind)
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _lossy(data, encoding)
    if not data:
        return "", "utf-8", 0
    if b"\x00" in data:
        # In UTF-16 the NULs are halves of ASCII characters and line ends: nearly all on one side of the pairs.
        even, odd = data[0::2].count(0), data[1::2].count(0)
        # (一 is U+4E00, so a short stretch without ASCII must convince by its characters alone.)
        if max(even, odd) < 9 * min(even, odd):
            return _best(data, ["utf-16-le", "utf-16-be"], least=0.97)
        return _best(data, ["utf-16-le" if odd > even else "utf-16-be"], least=0.9)
    if b"\x1b$" in data and max(data) < 0x80:
        return _iso2022(data), "iso-2022-jp", 0
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A UTF-8 file cut off or damaged in a few places is still UTF-8 if nearly all of it decodes.
        text, _, lost = _lossy(data, "utf-8") if error.start > 16 else ("", "", len(data))
        if lost and lost * 200 < len(data) and plausibility(text) > 0.9:
            return text, "utf-8", lost
        return _best(data, ["cp932", "euc_jp", "euc_jis_2004"], least=0.6)
    if len(_CONTROL.findall(text[:_SAMPLE])) * 100 > min(len(text), _SAMPLE):
        raise NotTextError
    return text, "utf-8", 0


def plausibility(text: str) -> float:
    """How much of what is not ASCII looks like written Japanese, 0 to 1; 1 for pure ASCII, 0 for control characters.

    Half-width katakana count little: EUC-JP read as Shift_JIS is full of them.
    """
    sample = text if len(text) <= _SAMPLE else text[: _SAMPLE // 2] + text[-_SAMPLE // 2 :]
    if len(_CONTROL.findall(sample)) * 200 > len(sample):
        return 0.0
    foreign = sum(1 for char in sample if char > "\x7f" and not char.isspace())
    if not foreign:
        return 1.0
    common, kanji = len(_COMMON.findall(sample)), len(_KANJI.findall(sample))
    half, private = len(_HALF_KANA.findall(sample)), len(_PRIVATE.findall(sample))
    # Wrongly decoded text is nearly all kanji; real sentences have kana and punctuation between them.
    share = (common + kanji * 0.95 + half * 0.4 + private * 0.3) / foreign
    return min(1.0, share)


def _best(data: bytes, encodings: list[str], least: float) -> tuple[str, str, int]:
    """The most plausible strict decoding; raises NotTextError when none reaches ``least``."""
    tried = [(plausibility(text), -n, text) for n, text in enumerate(_strict(data, encodings)) if text is not None]
    score, order, text = max(tried, default=(0.0, 0, ""))
    if score < least:
        raise NotTextError
    return text, encodings[-order], 0


def _strict(data: bytes, encodings: list[str]) -> Iterator[str | None]:
    for encoding in encodings:
        try:
            yield data.decode(encoding)
        except UnicodeDecodeError:
            yield None


def _lossy(data: bytes, encoding: str) -> tuple[str, str, int]:
    try:
        return data.decode(encoding), encoding, 0
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
    return text, encoding, text.count("\ufffd")


def _iso2022(data: bytes) -> str:
    """ISO-2022-JP as it is really written: with the vendors' row 13 (①, ㈱), which Python's strict codec refuses."""
    text, mode = "", b"\x1b(B"
    for part in _ESCAPES.split(data):
        if _ESCAPES.fullmatch(part):
            mode = part
        elif mode.startswith(b"\x1b$"):
            # Line ends inside a two-byte stretch stay single bytes.
            high = bytes(byte | 0x80 if byte > 0x20 else byte for byte in part)
            text += _euc(high)
        elif mode == b"\x1b(I":
            text += bytes(byte | 0x80 if byte > 0x20 else byte for byte in part).decode("cp932", errors="replace")
        else:
            text += part.decode("ascii")
    return text


def _euc(data: bytes) -> str:
    for text in _strict(data, ["euc_jp", "euc_jis_2004"]):
        if text is not None:
            return text
    raise NotTextError
