# SPDX-License-Identifier: Apache-2.0
"""What the page warns of."""

from modelgenerator.long_context.monitor.lines import Line
from modelgenerator.long_context.monitor.runs import Run
from modelgenerator.long_context.monitor.settings import Alerts

PERPLEXITY = "eval_perplexity/"


def alerts(run: Run, lines: dict[str, Line], record: dict, settings: Alerts) -> list[str]:
    """Warnings about a run, in words; empty if all is well.

    Args:
        run: The run as listed.
        lines: Its metrics.
        record: Its `run.json`.
        settings: When to warn.
    """
    found = []
    if run.state == "failed":
        found.append(f"failed: {record.get('error') or 'no reason was recorded'}")
    if run.state == "stalled":
        found.append(f"nothing new for {duration(run.silent)}")
    lost = lines["nonfinite_losses"].last if "nonfinite_losses" in lines else None
    if settings.not_finite and lost:
        found.append(f"{lost:,.0f} losses were not finite numbers")
    lengths = sorted(
        (int(name[len(PERPLEXITY) :]), name)
        for name in lines
        if name.startswith(PERPLEXITY)
        and name[len(PERPLEXITY) :].isdecimal()
        and len(name) < 40  # Python refuses to read a number of thousands of digits
    )
    if lengths:
        length, name = lengths[0]
        first, last = lines[name].first, lines[name].last
        up = 100 * (last / first - 1) if first else 0.0
        if up > settings.perplexity_up_percent:
            found.append(
                f"perplexity at {length:,} nt is up by {up:.1f}%, from {first:.3f} to {last:.3f}"
            )
    return found


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "12 min", "3.5 h", "2.1 days"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
