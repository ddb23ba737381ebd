"""The real MCP server from npm, spoken to over its standard input and output."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

SERVER = Path(__file__).parent / "node/node_modules/@sentry/mcp-server/dist/index.js"
PROTOCOL = "2025-06-18"


class McpServer:
    """`node index.js --access-token=… --host=… --insecure-http`, as a client starts it."""

    def __init__(self, url: str, token: str) -> None:
        self._command = [
            "node", str(SERVER), f"--access-token={token}", f"--host={urlsplit(url).netloc}",
            "--insecure-http", "--skills=inspect,triage,project-management",
        ]  # fmt: skip
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        hello = {"protocolVersion": PROTOCOL, "capabilities": {},
                 "clientInfo": {"name": "tests", "version": "1"}}  # fmt: skip
        self.ask("initialize", hello)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def tool(self, name: str, /, **arguments: Any) -> str:
        """Call a tool and give the text of its answer, of an error too."""
        answer = self.ask("tools/call", {"name": name, "arguments": arguments})
        return "\n".join(part.get("text", "") for part in answer["content"])

    def other(self, name: str, /, **arguments: Any) -> str:
        """Call a tool that is not listed, through the one that reaches all."""
        return self.tool("execute_sentry_tool", name=name, arguments=arguments)

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for the answer. Raises AssertionError for a refused question."""
        number = next(self._ids)
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == number:
                assert "result" in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

        raise AssertionError("the server went away")

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
