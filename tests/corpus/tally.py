# SPDX-License-Identifier: GPL-2.0
"""What the corpus says of the tool as a whole: confusion matrix, precision, recall, latency.

A finding that a case's label does not accept is a false positive, whatever else was found.
Intervals are Wilson's, 95 %: with so few cases a ratio alone says little.
"""
import math

Z_95 = 1.96


def wilson(part, whole):
    """Return: the 95 % interval of a proportion, or None twice."""
    if not whole:
        return None, None
    ratio, z2 = part / whole, Z_95 * Z_95
    middle = ratio + z2 / (2 * whole)
    half = Z_95 * math.sqrt(ratio * (1 - ratio) / whole + z2 / (4 * whole * whole))
    return max(0.0, (middle - half) / (1 + z2 / whole)), min(1.0, (middle + half) / (1 + z2 / whole))


def ratio_text(part, whole):
    """`0.950[0.760,0.990]`, or `-` when there is nothing to divide."""
    low, high = wilson(part, whole)
    return f"{part / whole:.3f}[{low:.3f},{high:.3f}]" if whole else "-"


def median(values):
    """The middle one, the lower of two."""
    return sorted(values)[(len(values) - 1) // 2]


class Tally:
    """The sums over all cases."""

    TARGETS = ["precision", "recall", "abstentions"]
    RECALL_MIN = 0.95
    ABSTENTIONS_MAX = 0.10

    def __init__(self, rows, verdicts):
        self.verdicts = verdicts
        self.true, self.false, self.missed = {}, {}, {}
        self.matrix = {}
        self.cases = len(rows)
        self.negatives = self.clean = 0
        self.abstained, self.unmarked, self.latencies, self.wrong, self.misses = [], [], [], [], []
        for row in rows:
            self._add(*row)

    def _add(self, name, expected, positive, window_s, report, got, latency_s):
        found = report.verdicts() & set(self.verdicts)
        state = report.summary["state"] if report.summary else None
        wrong = found - set(expected)
        row = expected[0] if positive else "negative"
        self.matrix[(row, got)] = self.matrix.get((row, got), 0) + 1
        for verdict in wrong:
            self.false[verdict] = self.false.get(verdict, 0) + 1
            self.wrong.append(f"{name}:{verdict}")
        if positive:
            hit = expected[0] in found and state == expected[0]
            count = self.true if hit else self.missed
            count[expected[0]] = count.get(expected[0], 0) + 1
            if not hit:
                self.misses.append(name)
            elif latency_s is not None:
                self.latencies.append(latency_s / window_s)
        else:
            self.negatives += 1
            self.clean += not wrong
        if state == "undetermined":
            self.abstained.append(name)
            advice = report.summary.get("advice") or "-"
            if "marker" not in advice:
                self.unmarked.append(name)
            print(f"CORPUS abstention case={name} advice={advice}")

    def print(self):
        """The CORPUS lines at the end of a run."""
        for (row, got), count in sorted(self.matrix.items()):
            print(f"CORPUS matrix expected={row} got={got} cases={count}")
        for verdict in self.verdicts:
            t, f, m = (d.get(verdict, 0) for d in (self.true, self.false, self.missed))
            if t + f + m:
                print(f"CORPUS class={verdict} precision={ratio_text(t, t + f)} "
                      f"recall={ratio_text(t, t + m)}")
        if self.latencies:
            print(f"CORPUS latency windows: median={median(self.latencies):.2f} "
                  f"max={max(self.latencies):.2f}")
        print(f"CORPUS class=undetermined abstentions={ratio_text(len(self.abstained), self.cases)}")
        print(f"CORPUS negatives={self.negatives} without_finding="
              f"{ratio_text(self.clean, self.negatives)}")
        t, f, m = (sum(d.values()) for d in (self.true, self.false, self.missed))
        print(f"CORPUS precision={ratio_text(t, t + f)} recall={ratio_text(t, t + m)} "
              f"cases={self.cases}")

    def check(self, target, need):
        """One of TARGETS, for a KTAP line."""
        if target == "precision":
            need(not self.wrong, f"false findings: {' '.join(self.wrong)}")
        elif target == "recall":
            t, m = sum(self.true.values()), sum(self.missed.values())
            need(t >= self.RECALL_MIN * (t + m), f"missed {m} of {t + m}: {' '.join(self.misses)}")
        else:
            need(len(self.abstained) <= self.ABSTENTIONS_MAX * self.cases,
                 f"{len(self.abstained)} of {self.cases} cases: {' '.join(self.abstained)}")
            need(not self.unmarked, f"no marker named: {' '.join(self.unmarked)}")
