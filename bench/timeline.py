"""Where the time of a run went that asked an API: from the moments at which its calls were answered, each a latency after it was sent."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

PARTS = 10


@dataclass(frozen=True)
class Timeline:
    """A run of *wall* seconds, and when its calls were *answered*, in seconds after it began; each took *latency* seconds."""

    wall: float
    answered: Sequence[float]
    latency: float

    def spans(self, window: tuple[float, float] | None) -> Iterator[tuple[float, int, bool]]:
        """Yield each span between the first call and the last answer: its seconds, the calls under way, and whether the limit was full.

        The *window* is how many calls the limit allows, in how many seconds.
        """
        backs = sorted(self.answered)
        calls, seconds = window or (0.0, 0.0)
        events = {*backs, *(at - self.latency for at in backs), *(at + seconds for at in backs if window)}
        inside = sorted(at for at in events if backs[0] - self.latency <= at <= backs[-1])
        for begin, end in pairwise(inside):
            middle = (begin + end) / 2
            sent = bisect(backs, middle + self.latency)
            under_way = sent - bisect(backs, middle)
            counted = sent - bisect(backs, middle - seconds)
            yield end - begin, under_way, window is not None and counted >= calls

    def told(self, limit: str = "") -> str:
        """Return in words where the time went, under *limit* if there is one."""
        if not self.answered:
            return "It made no call."
        window = (float(limit.partition("/")[0]), float(limit.partition("/")[2])) if limit else None
        spans = list(self.spans(window))

        def seconds(*, full: bool, least: int, most: float) -> float:
            return sum(long for long, under_way, is_full in spans if is_full is full and least <= under_way <= most)

        first, last = min(self.answered) - self.latency, self.wall - max(self.answered)
        parts = [f"{first:.1f} s until the first call was sent"]
        if window:
            parts.append(f"{seconds(full=True, least=0, most=float('inf')):.1f} in which the limit was full")
        parts += [
            f"{seconds(full=False, least=2, most=float('inf')):.1f} with several calls under way",
            f"{seconds(full=False, least=1, most=1):.1f} with one",
            f"{seconds(full=False, least=0, most=0):.1f} with none",
            f"{last:.1f} after the last answer",
        ]
        return f"{', '.join(parts)}. Under way, by tenths of the run: {' '.join(f'{n:.1f}' for n in self.tenths())}."

    def tenths(self) -> list[float]:
        """Return how many calls were under way on average in each tenth of the run."""
        long = self.wall / PARTS
        return [
            sum(
                max(0.0, min(back, (part + 1) * long) - max(back - self.latency, part * long)) for back in self.answered
            )
            / long
            for part in range(PARTS)
        ]
