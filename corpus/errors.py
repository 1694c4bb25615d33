"""The error tree of hyoka.

HyokaError                     anything hyoka raises on purpose; ``message`` is a Japanese sentence with the next step
├── DocumentError              one file could not be read; the others go on
│   ├── UnreadableDocument     broken, encrypted, binary, vanished, no permission
│   ├── EmptyDocument          nothing to read in it (also: a scan without text)
│   └── DocumentTooLarge       over the size limit
├── IndexFolderError           the index folder cannot be used
│   ├── IndexMissing           no index there yet
│   ├── IndexOutdated          made by another format version or another encoder: rebuild
│   ├── IndexDamaged           a file is missing or its checksum differs
│   └── IndexNotSent           the search engine that is set does not have this index, or not all of it
├── NothingToIndex             not one sheet or section could be read from the sources
├── QuestionError              the question cannot be used (empty, too long)
├── EngineError                the search engine beside hyoka (Milvus) does not do what it is asked
│   └── EngineUnavailable      it does not answer now; says after how many seconds to ask again
├── Busy                       more is asked at once than can be answered; says after how many seconds to ask again
├── DatabaseError              the database does not answer, or refuses
│   └── Duplicate              a row is there already
├── BackupError                a backup cannot be written or put back
│   └── BackupDamaged          its checksums differ, or it is none
└── SettingsError              a setting has no usable value
    └── FormError              a form file or fields.toml has a mistake; names file, line and key
"""

from __future__ import annotations


class HyokaError(Exception):
    """Base of the tree; ``message`` is what a person is shown (Japanese, ending with the next step)."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class DocumentError(HyokaError):
    """One file could not be read; ``file`` is its path as given."""

    code = "document"

    def __init__(self, message: str, file: str = "") -> None:
        super().__init__(message)
        self.file = file


class UnreadableDocument(DocumentError):
    """The file is broken, encrypted, binary, vanished or not ours to open."""

    code = "unreadable_document"


class EmptyDocument(DocumentError):
    """The file opens but holds no text (an empty file, or a scan without a text layer)."""

    code = "empty_document"


class DocumentTooLarge(DocumentError):
    """The file is over the size limit."""

    code = "document_too_large"


class IndexFolderError(HyokaError):
    """The index folder cannot be used."""

    code = "index"


class IndexMissing(IndexFolderError):
    """There is no index in the folder yet."""

    code = "index_missing"


class IndexOutdated(IndexFolderError):
    """The snapshot was made by another format version or another encoder."""

    code = "index_outdated"


class IndexDamaged(IndexFolderError):
    """A file of the snapshot is missing or its checksum differs from the manifest."""

    code = "index_damaged"


class IndexNotSent(IndexFolderError):
    """The search engine that is set does not have the snapshot, or not all of it."""

    code = "index_not_sent"


class NothingToIndex(HyokaError):
    """Not one section could be read from the given sources."""

    code = "nothing_to_index"


class QuestionError(HyokaError):
    """The question is empty or over the length limit."""

    code = "question"


class Busy(HyokaError):
    """More is asked at once than can be answered; it is worth asking again after ``seconds`` (whole, 1 or more)."""

    code = "busy"

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(message)
        self.seconds = seconds


class DatabaseError(HyokaError):
    """The file or the server of a database does not answer, or refuses a statement.

    ``detail`` says which one and what it said: for the record and the administrator, not for everybody who asks.
    """

    code = "database"

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} [{self.detail}]" if self.detail else self.message


class Duplicate(DatabaseError):
    """What was to be written stands under a key that another row has."""

    code = "duplicate"


class EngineError(HyokaError):
    """The search engine beside hyoka refuses what it is asked."""

    code = "engine"


class EngineUnavailable(EngineError):
    """The search engine does not answer now; it is worth asking again after ``seconds`` (whole, 1 or more)."""

    code = "engine_unavailable"

    def __init__(self, message: str, seconds: int = 5) -> None:
        super().__init__(message)
        self.seconds = seconds


class ModelUnavailable(HyokaError):
    """A language model gave no text in time; answers go without one."""

    code = "llm"


class BackupError(HyokaError):
    """A backup cannot be written or put back; what was there is as it was."""

    code = "backup"


class BackupDamaged(BackupError):
    """The file is not a backup, or not what was written."""

    code = "backup_damaged"


class SettingsError(HyokaError):
    """A setting has no usable value."""

    code = "settings"


class FormError(SettingsError):
    """A form file or a ``fields.toml`` has a mistake; ``file``, ``line`` (from 1) and ``key`` say where.

    ``line`` is 0 and ``key`` empty where the whole file or folder is meant.
    """

    code = "form"

    def __init__(self, message: str, file: str = "", line: int = 0, key: str = "") -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.key = key
