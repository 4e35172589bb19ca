"""The official server of the Model Context Protocol, for one HTTP request at a time.

The package reads messages, agrees on a revision, lists tools and words the protocol's errors; here is only
what a Lambda has and a web server has not: one event in, one JSON answer out, and nothing kept in between.
It takes two seconds to import and a layer of its own, so only the function behind /mcp may import this.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    ListToolsResult,
    TextContent,
    Tool,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from shoal.dialects import mcp
from shoal.domain.errors import ApiError, InvalidJson, ValidationFailed
from shoal.handlers.http.endpoint import Answer, Request

VERSION = "1.0.0"

Call = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Runs the tool of this name. Raises `ApiError` for what its caller may read."""


@dataclass
class ToolServer:
    """Answers one request."""

    call: Call
    _broken: Exception | None = field(default=None, init=False)

    def answer(self, request: Request) -> Answer:
        """What the protocol answers to a POST.

        Raises what broke inside a tool, which the package would tell the caller, and `PayloadTooLarge` and
        `UnsupportedMediaType` as `Request.json_object` does.
        """
        try:
            message = request.json_object()
            read = jsonrpc_message_adapter.validate_python(message, by_name=False)
        except InvalidJson as error:
            return _refusal(PARSE_ERROR, error.message)
        except ValidationFailed as error:
            return _refusal(INVALID_REQUEST, error.message)
        except ValidationError:
            # The package refuses it as well, in pydantic's words.
            return _refusal(INVALID_REQUEST, "This is no message of JSON-RPC 2.0.")
        if "id" in message and isinstance(read, JSONRPCNotification):
            # The package would take it for a notification: do nothing, and never answer.
            return _refusal(INVALID_REQUEST, "The id of a request must be text or a whole number.")
        answered = asyncio.run(self._exchange(request, message))
        if self._broken:
            raise self._broken
        return Answer(answered.status_code, answered.text)

    async def _exchange(self, request: Request, message: dict[str, Any]) -> httpx2.Response:
        # Written again: the package reads what was checked, not what another parser makes of the same bytes.
        content = json.dumps(message, ensure_ascii=False).encode()
        # Stateless: whatever instance the next request comes to, it needs nothing of this one.
        manager = StreamableHTTPSessionManager(
            self._server(), json_response=True, stateless=True, max_request_body_size=len(content)
        )
        sent = httpx2.Request("POST", "http://localhost/mcp", headers=_headers(request), content=content)
        async with manager.run():
            answered = await httpx2.ASGITransport(manager.handle_request).handle_async_request(sent)
            await answered.aread()
        return answered

    def _server(self) -> Server[Any]:
        return Server(
            "shoal",
            title="Shoal",
            version=VERSION,
            instructions=mcp.INSTRUCTIONS,
            on_list_tools=_list_tools,
            on_call_tool=self._call_tool,
        )

    async def _call_tool(self, _: Any, params: CallToolRequestParams) -> CallToolResult:
        if params.name not in mcp.TOOLS:
            raise MCPError(INVALID_PARAMS, "There is no such tool: tools/list tells which there are.")
        try:
            value = self.call(params.name, dict(params.arguments or {}))
        except ApiError as error:
            # The message for models; the code, which alone is stable, for programs.
            told = {"code": error.code, "message": error.message, "details": error.details}
            return CallToolResult(content=[_text(error.message)], structured_content=told, is_error=True)
        except Exception as error:
            self._broken = error
            raise MCPError(INTERNAL_ERROR, "The tool failed.") from error
        # For programs, and as text for models that read nothing else.
        text = json.dumps(value, ensure_ascii=False)
        return CallToolResult(content=[_text(text)], structured_content=dict(value))


async def _list_tools(*_: Any) -> ListToolsResult:
    return _tools()


@cache
def _tools() -> ListToolsResult:
    return ListToolsResult(tools=[Tool.model_validate(tool) for tool in mcp.tools()])


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    """What the package looks at, as bytes: the client's own reading of text takes ASCII alone."""
    protocol = {name: value for name, value in request.headers.items() if name.startswith("mcp-")}
    headers = protocol | {"accept": request.headers.get("accept", ""), "content-type": "application/json"}
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
    ]


def _refusal(code: int, message: str) -> Answer:
    error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
    return Answer(400, error.model_dump(by_alias=True, exclude_unset=True))
