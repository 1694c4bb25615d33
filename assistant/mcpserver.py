"""hyoka for language models: its tools over the Model Context Protocol, at ``/mcp`` and over standard input and output.

No state is kept between requests: whoever asks is let in by the door, sees with every call what he may see, and leaves
nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from assistant.access.caller import CALLER, Caller, caller, calling
from assistant.audit import AuditTrail
from assistant.line import Line, apart
from assistant.live import holding
from assistant.readiness import Asker
from assistant.refusals import BODY_LIMIT, INTERNAL, MESSAGES, error_response, invalid_argument
from assistant.tools import INSTRUCTIONS, TOOLS, Tool
from assistant.toolschemas import SheetArguments
from corpus.documents import Sheet
from corpus.errors import HyokaError, QuestionError, SettingsError

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

# The package is imported inside: it is an extra, and takes half a second.

logger = logging.getLogger(__name__)

PATH = "/mcp"
MISSING = "MCP のパッケージが入っていません。pip install 'hyoka[mcp]' で入れてから、もう一度起動してください。"
SHEET_URI = "hyoka://sheet/"
_PAGE = 100  # resources listed at a time
_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


def installed() -> bool:
    """Whether the package that speaks the protocol is there."""
    return find_spec("mcp") is not None


def open_server(assistant: Asker, line: Line, trail: AuditTrail | None = None) -> Server[Any]:
    """The server of the protocol, for any transport; what is shown is written into ``trail``.

    Raises SettingsError where the package is not installed.
    """
    if not installed():
        raise SettingsError(MISSING)
    import mcp_types as types
    from mcp.server import Server
    from mcp.shared.exceptions import MCPError

    tools = {tool.name: tool for tool in TOOLS}
    read = tools["get_sheet"]

    async def list_tools(context: ServerRequestContext[Any], _: Any) -> types.ListToolsResult:
        known = _who(context)
        return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS if known.may(tool.scope)])

    async def call(context: ServerRequestContext[Any], asked: types.CallToolRequestParams) -> types.CallToolResult:
        tool = tools.get(asked.name)
        if tool is None or not _who(context).may(tool.scope):
            names = "、".join(one.name for one in TOOLS if _who(context).may(one.scope))
            raise MCPError(types.INVALID_PARAMS, f"そのツールはありません。使えるのは {names} です。")
        try:
            result = await _done(tool, _who(context), asked.arguments or {})
        except HyokaError as problem:
            return types.CallToolResult(content=[types.TextContent(text=problem.message)], is_error=True)
        except Exception:
            logger.exception("a tool broke")
            return types.CallToolResult(content=[types.TextContent(text=INTERNAL[1])], is_error=True)
        text = tool.text(result, _base(context))
        return types.CallToolResult(
            content=[types.TextContent(text=text)], structured_content=result.model_dump(mode="json")
        )

    async def _done(tool: Tool, who: Caller, given: dict[str, Any]) -> BaseModel:
        """The result of a tool; context variables do not follow the request into the tasks of the protocol by themselves."""
        try:
            arguments = tool.arguments.model_validate(given)
        except ValidationError as problem:
            raise QuestionError(invalid_argument(problem)) from problem

        def work() -> BaseModel:
            return tool.done(assistant, arguments, trail)

        with calling(who), holding():
            return await (apart(work) if tool.turn is None else line.run(tool.turn, work))

    async def list_resources(
        context: ServerRequestContext[Any], asked: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        who, cursor = _who(context), (asked.cursor if asked is not None else None) or "0"
        if not who.may(read.scope):
            return types.ListResourcesResult(resources=[])
        at = int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 10 else 0

        def listed() -> list[Sheet]:
            if trail is not None:
                trail.tell("list", "", (), assistant.index.version, "shown")
            return assistant.index.sheets()

        with calling(who), holding():
            sheets = await apart(listed)
        more = str(at + _PAGE) if at + _PAGE < len(sheets) else None
        shown = [
            types.Resource(
                uri=SHEET_URI + quote(one.sheet_id, safe=""),
                name=one.sheet_id,
                title=f"{one.municipality} {one.fiscal_year or ''} {one.name}".replace("  ", " ").strip(),
                description=one.department or None,
                mime_type="text/markdown",
            )
            for one in sheets[at : at + _PAGE]
        ]
        return types.ListResourcesResult(resources=shown, next_cursor=more)

    async def list_templates(context: ServerRequestContext[Any], _: Any) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template=SHEET_URI + "{sheet_id}",
            name="sheet",
            title="評価シート",
            description="一つのシートの全文（get_sheet と同じ内容）。",
            mime_type="text/markdown",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template] if _who(context).may(read.scope) else [])

    async def read_resource(
        context: ServerRequestContext[Any], asked: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        who, uri = _who(context), str(asked.uri)
        if not uri.startswith(SHEET_URI) or not who.may(read.scope):
            raise MCPError(
                types.INVALID_PARAMS, f"そのリソースはありません。{SHEET_URI}（sheet_id）の形で指定してください。"
            )
        try:
            sheet_id = unquote(uri.removeprefix(SHEET_URI))
            found = await _done(read, who, SheetArguments(sheet_id=sheet_id).model_dump())
        except (HyokaError, ValidationError) as problem:
            message = problem.message if isinstance(problem, HyokaError) else "sheet_id が長すぎます。"
            raise MCPError(types.INVALID_PARAMS, message) from problem
        text = types.TextResourceContents(uri=uri, mime_type="text/markdown", text=read.text(found, _base(context)))
        return types.ReadResourceResult(contents=[text])

    return Server(
        "hyoka",
        title="hyoka 事務事業評価シート",
        version=_version(),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def _described(tool: Tool) -> Any:
    import mcp_types as types

    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.result.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _who(context: ServerRequestContext[Any]) -> Caller:
    """Who sent the request that is being worked on; over standard input whoever started the process."""
    scope = getattr(context.request, "scope", None)
    if scope is None:
        return caller()
    found = scope.get(CALLER)
    return found if isinstance(found, Caller) else caller()


def _base(context: ServerRequestContext[Any]) -> str:
    """The address of this server as the client knows it; empty over standard input."""
    return str(getattr(context.request, "base_url", "") or "")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hyoka")
    except PackageNotFoundError:
        return ""


class McpDoor:
    """The ASGI application at ``/mcp``, while the server runs (:meth:`running`). Each POST is answered by itself, in JSON.

    ``own_machine_only``: it answers under names of this machine alone, as the door does (:mod:`assistant.access.door`).
    """

    def __init__(
        self, assistant: Asker, line: Line, own_machine_only: bool = False, trail: AuditTrail | None = None
    ) -> None:
        self._assistant, self._line, self._trail = assistant, line, trail
        self.own_machine_only = own_machine_only
        # One for each event loop: an application may be run by several, and a manager belongs to the loop it began in.
        self._managers: dict[AbstractEventLoop, StreamableHTTPSessionManager] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves inside; nothing where the package is not installed."""
        if not installed():
            yield
            return
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(
            open_server(self._assistant, self._line, self._trail),
            json_response=True,
            stateless=True,  # no sessions to be kept, taken over or run out of
            security_settings=_security(self.own_machine_only),
            max_request_body_size=BODY_LIMIT,
        )
        loop = asyncio.get_running_loop()
        async with manager.run():
            self._managers[loop] = manager
            try:
                yield
            finally:
                del self._managers[loop]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """405 for the streams of server and sessions that a stateless server has not (the specification provides for it)."""
        manager = self._managers.get(asyncio.get_running_loop())
        if manager is None:
            refused = (
                error_response(501, "not_installed", MISSING)
                if not installed()
                else error_response(503, *MESSAGES[503])
            )
            await refused(scope, receive, send)
        elif scope["method"] != "POST":
            refused = error_response(405, *MESSAGES[405])
            refused.headers["Allow"] = "POST"
            await refused(scope, receive, send)
        else:
            await manager.handle_request(scope, receive, send)


def _security(own_machine_only: bool) -> TransportSecuritySettings:
    """Against DNS rebinding, as the door: a server for its own machine has no other names. Where others come in, the names are
    not known here; there it is the key, and the Origin that the door compares with the name, that keep foreign pages out."""
    from mcp.server.transport_security import TransportSecuritySettings

    if not own_machine_only:
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    hosts = [f"{name}{port}" for name in _OWN_NAMES for port in ("", ":*")]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


async def serve_stdio(assistant: Asker, line: Line) -> None:
    """Speaks the protocol over standard input and output until the other side closes them."""
    server = open_server(assistant, line)
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
