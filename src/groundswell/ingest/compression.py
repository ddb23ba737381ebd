"""Body as received → plain bytes, never more than a cap on size and on ratio allows."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

from groundswell.errors import UserError

CHUNK_BYTES = 64 * 1024
# Every 4 bytes of zstd may become a block of 128 KiB: small steps bound what one call returns.
ZSTD_STEP_BYTES = 256
MAX_RATIO = 200
# A tiny body may be all zeros: the ratio counts from here on.
RATIO_FREE_BYTES = 1024 * 1024
KNOWN = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})


class TooLarge(UserError):
    """Raised when a body or an item is larger than its limit; `reason` goes into the outcome."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, code="too_large", status=413)
        self.reason = reason


class Corrupt(UserError):
    """Raised when a body is not what its Content-Encoding says."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"Request body is not valid {encoding}.", code="invalid_encoding")


def parse_encoding(header: str) -> str:
    """Content-Encoding → one known encoding or "" for identity, which unknown ones mean too.

    Raises UserError (415) when more than one encoding was applied.
    """
    names = [name for part in header.lower().split(",") if (name := part.strip())]
    applied = [name for name in names if name != "identity"]
    if len(applied) > 1:
        raise UserError(
            f"Content-Encoding must name one encoding, got {header[:80]!r}.",
            code="unsupported_encoding",
            status=415,
        )

    return applied[0] if applied and applied[0] in KNOWN else ""


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo `encoding`. Raises TooLarge at the cap and Corrupt for a broken or cut body."""
    if not encoding:
        return body

    limit = min(max_bytes, max(RATIO_FREE_BYTES, len(body) * MAX_RATIO))
    if encoding == "gzip" and (whole := _small_gzip(body, limit)) is not None:
        return whole

    out = bytearray()
    try:
        for chunk in _STREAMS[encoding](body, limit):
            out += chunk
            if len(out) > limit:
                raise TooLarge(
                    f"Decompressed body is larger than {limit} bytes.", "too_large:decompressed"
                )
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        raise Corrupt(encoding) from None

    return bytes(out)


def _small_gzip(body: bytes, limit: int) -> bytes | None:
    """One member that is plain after one step, as nearly every event is."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(body, min(CHUNK_BYTES, limit))
    except zlib.error:
        return None

    return plain if stream.eof and not stream.unused_data else None


def _gzip(body: bytes, limit: int) -> Iterator[bytes]:
    rest = body
    while rest:
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        yield from _inflate(stream, rest, limit)
        # A body may hold several members; zeros after the last one are padding.
        rest = stream.unused_data.lstrip(b"\0")


def _deflate(body: bytes, limit: int) -> Iterator[bytes]:
    try:
        first = zlib.decompressobj()
        first.decompress(body[:64], 1)
        stream = zlib.decompressobj()
    except zlib.error:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
    yield from _inflate(stream, body, limit)


def _inflate(stream: zlib._Decompress, body: bytes, limit: int) -> Iterator[bytes]:
    step = min(CHUNK_BYTES if len(body) < CHUNK_BYTES else 16 * CHUNK_BYTES, limit + 1)
    chunk = stream.decompress(body, step)
    while chunk:
        yield chunk
        chunk = stream.decompress(stream.unconsumed_tail, step)
    if not stream.eof:
        raise EOFError


def _brotli(body: bytes, limit: int) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    chunk = stream.process(body, output_buffer_limit=CHUNK_BYTES)
    while chunk:
        yield chunk
        # The decoder may hold output back although it took in all input.
        chunk = stream.process(b"", output_buffer_limit=CHUNK_BYTES)
    if not stream.is_finished():
        raise EOFError


def _zstd(body: bytes, limit: int) -> Iterator[bytes]:
    # A window beyond 8 MiB is no event but an attempt on our memory.
    decoder = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    rest = body
    while rest:
        stream = decoder.decompressobj()
        position = 0
        while not stream.eof and position < len(rest):
            yield stream.decompress(rest[position : position + ZSTD_STEP_BYTES])
            position += ZSTD_STEP_BYTES
        if not stream.eof:
            raise EOFError

        rest = stream.unused_data + rest[position:]


_STREAMS: dict[str, Callable[[bytes, int], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
