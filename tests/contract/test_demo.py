"""The demo from end to end, with a short history."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from PIL import Image

WHITE = 250
LINE = (0, 114, 178)


def test_the_demo_tells_its_story_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "groundswell", "demo", "--days", "0.5", "--once", "--json"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    page = urlsplit(told["page_url"])
    assert page.path == "/organizations/acme/discover/results/"
    assert parse_qs(page.query)["yAxis"] == ["p95(transaction.duration)"]
    assert told["counts"]["transactions"] > 100
    assert told["counts"]["errors"] > 0
    assert "Critical: Checkout is slow" in told["incident"]["title"]
    assert told["incident"]["chart"]
    assert set(told["seconds"]) == {
        "start",
        "tenants",
        "history",
        "queryable",
        "unfurl",
        "incident",
    }

    kinds = [block["type"] for block in told["unfurl"]["blocks"]]
    assert kinds == ["section", "image", "context"]
    assert "Checkout p95" in told["unfurl"]["blocks"][0]["text"]["text"]

    png = Path(told["png"]).read_bytes()
    assert len(png) <= 90_000
    image = Image.open(io.BytesIO(png)).convert("RGB")
    colours = {colour: count for count, colour in image.getcolors(maxcolors=1 << 20) or []}
    near_line = sum(
        count
        for colour, count in colours.items()
        if all(abs(a - b) < 40 for a, b in zip(colour, LINE, strict=True))
    )
    assert image.size[0] >= 1200
    assert near_line > 1_000, "the chart has no line"
    light = sum(count for colour, count in colours.items() if min(colour) >= WHITE)
    assert light > 0.3 * image.size[0] * image.size[1]
