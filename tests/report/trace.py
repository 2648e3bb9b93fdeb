#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Is this a trace in the "Trace Event Format", as ui.perfetto.dev reads it? Prints what is wrong.

Usage: trace.py TRACE [VERDICT...]      the findings that it must have

By the format's description: what an event of each phase needs; and what makes one unreadable: times that are
no numbers, events that begin and do not end, slices of one thread that overlap without one being in the other.
"""
import json
import sys

import jsonschema

NUMBER = {"type": "number", "minimum": 0}
COMMON = {"ph": {"enum": ["M", "C", "X", "b", "e"]}, "name": {"type": "string", "minLength": 1},
          "pid": {"type": "integer", "minimum": 0}, "tid": {"type": "integer", "minimum": 0},
          "ts": NUMBER}
PHASES = {
    "M": (["args"], {"name": {"enum": ["process_name", "thread_name"]},
                     "args": {"type": "object", "required": ["name"],
                              "properties": {"name": {"type": "string"}}}}),
    "C": (["ts", "args"], {"args": {"type": "object", "minProperties": 1,
                                    "additionalProperties": NUMBER}}),
    "X": (["ts", "dur"], {"dur": NUMBER}),
    "b": (["ts", "id", "cat"], {"cat": {"type": "string"}, "args": {"type": "object"}}),
    "e": (["ts", "id", "cat"], {"cat": {"type": "string"}}),
}
TRACE = {
    "type": "object", "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "traceEvents": {"type": "array", "minItems": 1, "items": {
            "type": "object", "required": ["ph", "name", "pid", "tid"], "properties": COMMON,
            "allOf": [{"if": {"properties": {"ph": {"const": phase}}},
                       "then": {"required": needs, "properties": properties}}
                      for phase, (needs, properties) in PHASES.items()]}},
    },
}


def pairs(events):
    """Asynchronous events: each that begins ends, once, not before."""
    open_ones = {}
    for event in events:
        key = event.get("cat"), event.get("id"), event["pid"]
        if event["ph"] == "b":
            if key in open_ones:
                yield f"{key} begins twice"
            open_ones[key] = event
        elif event["ph"] == "e":
            begin = open_ones.pop(key, None)
            if not begin or begin["ts"] > event["ts"] or begin["name"] != event["name"]:
                yield f"{key} ends what did not begin"
    for key in open_ones:
        yield f"{key} does not end"


def overlaps(events):
    """Slices of a thread are beside each other, or one in the other."""
    slices = sorted((e["pid"], e["tid"], e["ts"], -e["dur"]) for e in events if e["ph"] == "X")
    stack = []
    for pid, tid, start, dur in slices:
        end = start - dur
        while stack and (stack[-1][:2] != (pid, tid) or stack[-1][2] <= start + 1e-3):
            stack.pop()
        if stack and stack[-1][2] < end - 1e-3:
            yield f"slices of {pid}/{tid} overlap at {start}"
        stack.append((pid, tid, end))


def nameless(events):
    """A process that has events has a name."""
    named = {e["pid"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
    for pid in sorted({e["pid"] for e in events} - named):
        yield f"process {pid} has no name"


def main(path, *verdicts):
    with open(path, encoding="utf-8") as file:
        trace = json.load(file)
    wrong = [f"{'/'.join(map(str, e.path))}: {e.message[:150]}"
             for e in jsonschema.Draft7Validator(TRACE).iter_errors(trace)]
    if not wrong:
        events = trace["traceEvents"]
        wrong = [*pairs(events), *overlaps(events), *nameless(events)]
        found = {e["name"] for e in events if e["ph"] == "b"}
        wrong += [f"no {verdict} in it, but {found}" for verdict in set(verdicts) ^ found]
        if not any(e["ph"] == "C" for e in events):
            wrong.append("no counter in it")
    print("\n".join(wrong[:10]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
