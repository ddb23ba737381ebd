"""A stand-in for a ClickHouse server: its HTTP interface in front of the embedded engine.

The engine behind it is of the same version, so SQL, formats, settings and errors are real; the
network, users and a cluster are not. It holds what clickhouse-connect needs and nothing more.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb
import zstandard

_TRANSPORT = {
    "database",
    "query",
    "query_id",
    "session_id",
    "buffer_size",
    "wait_end_of_query",
    "enable_http_compression",
    "client_protocol_version",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
    "http_zlib_compression_level",
    "compress",
    "decompress",
    "default_format",
    "role",
}
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*$", re.IGNORECASE)
_CODE = re.compile(r"\bCode: (\d+)")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    path_of_engine: str

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        match self.headers.get("content-encoding"):
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(body)
        return body

    def _answer(self, body: bytes) -> None:
        given = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        settings = {name: value for name, value in given if name not in _TRANSPORT}
        params = {
            name.removeprefix("param_"): settings.pop(name)
            for name in list(settings)
            if name.startswith("param_")
        }
        query = dict(given).get("query", "")
        connection = chdb.connect(self.path_of_engine)
        try:
            # A server checks all settings of a request before it applies any: `readonly` last.
            for name, value in sorted(settings.items(), key=lambda pair: pair[0] == "readonly"):
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                connection.query(f"SET {name} = '{quoted}'")
            if query and body:
                self._send(200, _insert(connection, query, body))
            else:
                sql = query or body.decode()
                found = _FORMAT.search(sql)
                form = found.group(1) if found else "TabSeparated"
                self._send(200, connection.query(sql, form, params=params).bytes() or b"", form)
        except Exception as error:
            self._send(500, str(error).encode())
        finally:
            connection.close()

    def _send(self, status: int, body: bytes, form: str = "") -> None:
        self.send_response(status)
        if status != 200:
            found = _CODE.search(body.decode(errors="replace"))
            self.send_header("X-ClickHouse-Exception-Code", found.group(1) if found else "1002")
        if form:
            self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Summary", json.dumps({"read_rows": "0"}))
        self.send_header("Content-Length", str(len(body)))
        # Kept connections would outlive the server.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Be quiet."""


def _insert(connection: chdb.Connection, query: str, body: bytes) -> bytes:
    statement, form = query[: _FORMAT.search(query).start()], _FORMAT.search(query).group(1)  # type: ignore[union-attr]
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        connection.query(f"{statement} FROM INFILE '{file.name}' FORMAT {form}")
    return b""


@contextmanager
def serve_clickhouse(path_of_engine: str) -> Iterator[str]:
    """Listen on a free port for the time of the block; give the address."""
    handler = type("Handler", (_Handler,), {"path_of_engine": path_of_engine})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/default"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
