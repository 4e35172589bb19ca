"""The official client of the Model Context Protocol, with a customer's key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import CallToolResult

T = TypeVar("T")


def with_client(api_url: str, key: str, use: Callable[[Client], Awaitable[T]], *, mode: Any = "auto") -> T:
    """What `use` makes of a client that has connected."""

    async def run() -> T:
        headers = {"Authorization": f"Bearer {key}"}
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(f"{api_url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await use(client)

    return asyncio.run(run())


def call(api_url: str, key: str, name: str, /, **arguments: Any) -> CallToolResult:
    """One call of a tool by a client of its own."""
    return with_client(api_url, key, lambda client: client.call_tool(name, arguments))


def value_of(result: CallToolResult) -> dict[str, Any]:
    """What a tool told; it must not have failed."""
    assert not result.is_error, result.content
    value: dict[str, Any] = result.structured_content or {}
    return value


def error_of(result: CallToolResult) -> str:
    """What a tool that failed said."""
    assert result.is_error, result.structured_content
    (said,) = result.content
    return str(getattr(said, "text", ""))
