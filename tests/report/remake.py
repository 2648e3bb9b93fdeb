#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes another recording, whole and with right checks, out of a real one.

Usage: remake.py hostile|bare RECORDING OUT

hostile: every name would be script. bare: of the kernel, no reading of the locks and transactions.
"""
import gzip
import json
import re
import sys
import zlib

SCRIPT = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1><!--"
COMM = "</script><b>&\""   # what fits
WORD = "</script><b>x<script>Object.assign(self,{owned:1})</script>"   # a value: no space, no '='


def domain(name):
    """The same one wherever it stands, and no longer than the report shows."""
    return f"{name[:4]}{WORD}"


def poison(line):
    """The same line with other names."""
    kind = line.get("type")
    if kind == "headway-recording":
        line["command"] = line["kernel"] = SCRIPT
        line["domains"] = [domain(name) for name in line.get("domains", [])]
    elif kind == "thread" and "comm" in line:
        line["comm"] = COMM
    elif kind == "lock_name":
        line["name"] = f"{line['name']}{SCRIPT}"
    elif kind == "kernel_list":
        line["names"] = [domain(name) for name in line["names"]]
    elif kind == "kernel_file":
        line["name"] = domain(line["name"])
    elif kind == "kernel_thread" and "comm" in line:
        line["comm"] = COMM
        line["stack"] = [f"{frame.split('+')[0]};{SCRIPT}" for frame in line["stack"]]
    elif kind == "kernel_line":
        line["text"] = re.sub(r"\b(comm|holder)=[^ -]\S*", rf"\1={COMM}", line["text"])
        line["text"] = re.sub(r"\b(name|lock|stack|detail|policy)=([^ -]\S*)", rf"\1=\2{WORD}", line["text"])
    elif kind == "stack":
        line["frames"] = [f"{frame.split('+')[0]};{SCRIPT}" for frame in line["frames"]]
    return line


class Bare:
    """Leaves out a line, or a file with its lines."""

    def __init__(self):
        self.skipping = False

    def __call__(self, line):
        kind = line.get("type")
        if kind == "kernel_file":
            self.skipping = line["file"] in ("locks", "transactions")
        elif kind != "kernel_line":
            self.skipping = False
        return None if self.skipping else line


def main(how, source, target):
    change = {"hostile": poison, "bare": Bare()}[how]
    record = b""
    with gzip.open(source, "rt", encoding="utf-8") as old, gzip.open(target, "wb") as new:
        for text in old:
            line = json.loads(text)
            if line.get("type") == "check":
                line["bytes"], line["crc32"] = len(record), f"{zlib.crc32(record):08x}"
                record = b""
                new.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                continue
            line = change(line)
            if line is None:
                continue
            out = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            record += out
            new.write(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
