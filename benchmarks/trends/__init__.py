"""Labelled series, generators of more, the score of the detector on them, and times with data."""

from __future__ import annotations


def run() -> None:
    """Print the quality and the speed of the detector, then the endpoints' times over data."""
    from benchmarks.trends.__main__ import report
    from benchmarks.trends.endpoints import print_times

    found = report()
    now, then = found["labelled"], found["earlier"]
    low, high = found["labelled_f1_interval"]
    print("labelled set            F1     95 % interval      unchanged series reported")
    print(f"  this detector       {now['f1']:.3f}   {low:.3f} … {high:.3f}    "
          f"{now['false_positive_rate']:.1%}")  # fmt: skip
    print(f"  the earlier one     {then['f1']:.3f}                      "
          f"{then['false_positive_rate']:.1%}")  # fmt: skip
    low, high = found["f1_difference_interval"]
    print(f"  difference          {now['f1'] - then['f1']:+.3f}   {low:+.3f} … {high:+.3f}")
    for name in ("generated", "hard"):
        sets = found[name]
        print(f"\n{name} families, worst of five sets: F1 {sets['worst_f1']:.3f}, "
              f"unchanged reported {sets['worst_fpr']:.1%}")  # fmt: skip
        for family, one in sets["families"].items():
            is_null = family.startswith("null_")
            shown = f"{one['worst_fpr']:.1%}" if is_null else f"F1 {one['worst_f1']:.3f}"
            print(f"  {family:<22} {shown}")
    print()
    for name, milliseconds in found["timings"].items():
        print(f"{name.removesuffix('_ms'):<22} {milliseconds} ms of one core")
    print()
    print_times()
