"""Transactions per second by the number of digest workers, offered more than can be taken.

The writer is the limit where its thread is busy all the time; before that, the cores are.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.driving import drive
from benchmarks.ingest import CASES
from groundswell.demo.service import ServiceProcess

SECONDS = 10.0
WORKERS = (1, 2, 3)
OFFERED = 6_000


def run(seconds: float = SECONDS) -> None:
    """Print one JSON object per number of workers."""
    case = replace(CASES[0], offered=OFFERED)
    print(f"{os.cpu_count()} cores, the load generator on the same ones")
    for workers in WORKERS:
        settings = {"DIGEST_WORKERS": str(workers)}
        with (
            tempfile.TemporaryDirectory() as folder,
            ServiceProcess(Path(folder) / "d", settings=settings) as service,
        ):
            print(json.dumps({"workers": workers} | drive(service, case, seconds)), flush=True)
