"""The process that draws: specifications on standard input → PNG or SVG on standard output.

The drawing library holds the interpreter's lock for the whole of a drawing, so it lives apart from
the event loop. A message is four bytes of length and then JSON; an answer is one byte (0 = drawn,
1 = failed), four bytes of length, and the image or the reason.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

FONTS = Path(__file__).with_name("fonts")
MAX_PNG_BYTES = 90_000
SCALE = 2.0
# The release of Vega-Lite that the bundle of the pages holds too.
VEGA_LITE = "6.4"
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer one message after the other until the parent closes the pipe."""
    _die_with_parent()
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not be taken for an answer.
    os.dup2(2, 1)
    messages = sys.stdin.buffer
    # The interrupt of a terminal goes to the whole group; the parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    while (message := _read(messages)) is not None:
        try:
            failed, body = 0, draw(json.loads(message))
        except Exception as error:  # the reason goes to the parent, which decides
            failed, body = 1, f"{type(error).__name__}: {error}"[:2000].encode()
        answers.write(bytes([failed]) + len(body).to_bytes(4, "big") + body)
        answers.flush()


def draw(message: dict[str, Any]) -> bytes:
    """Draw one specification. Nothing is ever fetched: data is inline."""
    import vl_convert

    spec = message["spec"]
    release: dict[str, Any] = {"vl_version": VEGA_LITE, "allowed_base_urls": []}
    if message["format"] == "svg":
        return str(vl_convert.vegalite_to_svg(spec, **release)).encode()

    return shrink(vl_convert.vegalite_to_png(spec, scale=SCALE, **release))


def shrink(png: bytes, limit: int = MAX_PNG_BYTES) -> bytes:
    """Reduce a PNG to a palette, and further until it is small enough."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    for colours, share in ((128, 1.0), (64, 1.0), (32, 1.0), (64, 0.75), (64, 0.5), (16, 0.35)):
        size = (round(image.width * share), round(image.height * share))
        sized = image if share == 1.0 else image.resize(size, Image.Resampling.LANCZOS)
        reduced = sized.quantize(
            colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        buffer = io.BytesIO()
        reduced.save(buffer, "PNG", compress_level=6)
        if buffer.tell() <= limit:
            break
    return buffer.getvalue()


def _read(stream: BinaryIO) -> bytes | None:
    header = stream.read(4)
    if len(header) < 4:
        return None

    size = int.from_bytes(header, "big")
    body = stream.read(size)
    return body if len(body) == size else None


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
