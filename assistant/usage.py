"""Mistakes in the arguments of the command line, in Japanese."""

from __future__ import annotations

import re
from typing import Any

import typer

# What click calls every mistake in the arguments; typer exports only this subclass of it.
USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]


def usage_sentence(error: Any) -> str:
    """What is wrong with the arguments and where to look: ``SOURCE... を指定してください。使い方は hyoka index --help で…``."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "hyoka"
    return f"{_problem(error)}。使い方は {command} --help で見られます。"


def _problem(error: Any) -> str:
    kind, message = type(error).__name__, str(getattr(error, "message", error))
    parameter = getattr(error, "param", None)
    if kind == "NoSuchOption":
        near = "、".join(getattr(error, "possibilities", None) or ())
        return f"{error.option_name} という指定はありません" + (f"（もしかして: {near}）" if near else "")
    if kind == "MissingParameter" and parameter is not None:
        return f"{_name(parameter)} を指定してください"
    if kind == "BadParameter" and parameter is not None:
        return f"{_name(parameter)} の値が使えません。{parameter.help}を指定してください"
    if message.startswith("No such command"):
        return f"{_quoted(message)} というコマンドはありません"
    if "unexpected extra argument" in message:
        return f"余分な引数があります: {message[message.find('(s)') + 3 :].strip(' ()') or message}（空白を含む言葉は引用符で囲みます）"
    if "requires an argument" in message:
        return f"{getattr(error, 'option_name', None) or _quoted(message)} のあとに値を指定してください"
    return message.rstrip(".")


def _name(parameter: Any) -> str:
    return str(next((flag for flag in parameter.opts if flag.startswith("-")), parameter.metavar or parameter.name))


def _quoted(message: str) -> str:
    found = re.search(r"'([^']*)'", message)
    return found.group(1) if found else message
