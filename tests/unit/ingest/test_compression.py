"""Bodies of every size come back whole from every encoding, and cut ones are refused."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from groundswell.ingest.compression import Corrupt, decompress

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
# Around the sizes of the windows that decoders hand out output in.
SIZES = (1, 1_000, 65_535, 65_536, 65_537, 131_073, 400_000)


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [3, 16])
def test_a_body_comes_back_whole(encoding: str, size: int, quality: int) -> None:
    chance = random.Random(size)
    body = bytes(chance.randrange(quality * 16) for _ in range(size))
    packed = ENCODERS[encoding](body)
    assert decompress(packed, encoding, 1_000_000) == body
    with pytest.raises(Corrupt):
        decompress(packed[:-4], encoding, 1_000_000)
