"""Files become documents: one reader for each kind of file, chosen by the suffix of its name."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from corpus.documents import Document
from corpus.errors import DocumentTooLarge, EmptyDocument, UnreadableDocument
from corpus.readers.excel import read_excel
from corpus.readers.extract import Extract
from corpus.readers.html import read_html
from corpus.readers.image import read_image
from corpus.readers.ocr import has_extra
from corpus.readers.pdf import read_pdf
from corpus.readers.text import read_csv, read_text
from corpus.readers.word import read_word
from corpus.version import reading_version

MAX_BYTES = 200 * 1024 * 1024


class Reader(Protocol):
    """One kind of file: its bytes (and the name for messages) to its text with places."""

    def __call__(self, data: bytes, file: str) -> Extract:
        """The extract; raises DocumentError with the next step."""
        ...


READERS: dict[str, Reader] = {
    ".txt": read_text,
    ".text": read_text,
    ".md": read_text,
    ".markdown": read_text,
    ".tsv": read_text,
    ".csv": read_csv,
    ".pdf": read_pdf,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
    ".docx": read_word,
    ".html": read_html,
    ".htm": read_html,
}

if has_extra():
    READERS.update(dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff"), read_image))

# Kinds people do hand over, with what to do about them.
ADVICE: dict[str, str] = {
    ".xls": "旧形式のExcel（.xls）です。Excelで開いて .xlsx で保存し直してください。",
    ".xlsb": "バイナリ形式のExcel（.xlsb）です。Excelで開いて .xlsx で保存し直してください。",
    ".doc": "旧形式のWord（.doc）です。Wordで開いて .docx で保存し直してください。",
    ".ppt": "PowerPointは読めません。PDFで保存し直してください。",
    ".pptx": "PowerPointは読めません。PDFで保存し直してください。",
    ".jtd": "一太郎の文書は読めません。PDFで保存し直してください。",
    ".ods": "OpenDocumentの表です。.xlsx で保存し直してください。",
    ".odt": "OpenDocumentの文書です。.docx で保存し直してください。",
    ".rtf": "リッチテキストです。.docx で保存し直してください。",
    ".lzh": "この形式の圧縮ファイルは読めません。展開してからフォルダを指定してください。",
    ".7z": "この形式の圧縮ファイルは読めません。展開してからフォルダを指定してください。",
}
for _image in (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp"):
    ADVICE[_image] = "画像です。OCR（文字認識）をかけて、文字を含むPDFにしてください。"


def advice(suffix: str) -> str:
    """What to do about a file of a kind that is not read: ``advice(".xls")``."""
    kinds = "、".join(suffix.lstrip(".") for suffix in (*READERS, ".zip"))
    return ADVICE.get(suffix.lower(), f"この種類のファイルは読めません。読める種類: {kinds}。")


def read_document(path: Path, name: str | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """One file as a document; ``name`` is what it is called in the index (the file's own name when not given).

    Raises a DocumentError (UnreadableDocument, EmptyDocument, DocumentTooLarge) whose message names the file, the
    reason and the next step.
    """
    file = name or path.name
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise UnreadableDocument(f"{file}: {advice(suffix)}", file)
    return document_from(_bytes(path, file, max_bytes), file, suffix)


def document_from(data: bytes, file: str, suffix: str = "") -> Document:
    """The bytes of a file as a document; ``suffix`` is its kind (``.pdf``) where ``file`` does not end with it.

    Raises a DocumentError like :func:`read_document`.
    """
    suffix = suffix or PurePosixPath(file).suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        raise UnreadableDocument(f"{file}: {advice(suffix)}", file)
    if not data:
        raise EmptyDocument(f"{file}: 空のファイルです。元のファイルを確かめてください。", file)
    extract = reader(data, file)
    if not extract.text.strip():
        raise EmptyDocument(f"{file}: 文字がありません。元のファイルの中身を確かめてください。", file)
    return Document(
        file=file,
        text=extract.text,
        sha256=hashlib.sha256(data).hexdigest(),
        media=extract.media,
        places=extract.places,
        warnings=extract.warnings,
        reader=reading_version(),
        pages=extract.pages,
    )


def _bytes(path: Path, file: str, max_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise DocumentTooLarge(
                f"{file}: 大きすぎます（{_megabytes(size)}、上限{_megabytes(max_bytes)}）。"
                "ファイルを分けるか、設定 max_file_mb（HYOKA_MAX_FILE_MB）を上げてください。",
                file,
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableDocument(
            f"{file}: ファイルが見つかりません。移動や削除がなかったか確かめて、もう一度実行してください。", file
        ) from error
    except PermissionError as error:
        raise UnreadableDocument(
            f"{file}: 読む権限がありません。ファイルの権限を確かめて、もう一度実行してください。", file
        ) from error
    except IsADirectoryError as error:
        raise UnreadableDocument(f"{file}: フォルダです。ファイルを指定してください。", file) from error
    except OSError as error:
        raise UnreadableDocument(
            f"{file}: 読み込めません（{error.strerror}）。ファイルのある場所を確かめて、もう一度実行してください。",
            file,
        ) from error


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:,.1f}MB"
