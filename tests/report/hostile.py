#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a recording whose every name is hostile, whole and with right checks, out of a real one.

Usage: hostile.py RECORDING OUT
"""
import gzip
import json
import sys
import zlib

SCRIPT = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1><!--"
COMM = "</script><b>&\""   # what fits


def poison(line):
    """The same line with other names."""
    kind = line.get("type")
    if kind == "headway-recording":
        line["command"] = line["kernel"] = SCRIPT
    elif kind == "thread" and "comm" in line:
        line["comm"] = COMM
    elif kind == "lock_name":
        line["name"] = f"{line['name']}{SCRIPT}"
    elif kind == "stack":
        line["frames"] = [f"{frame.split('+')[0]};{SCRIPT}" for frame in line["frames"]]
    return line


def main(source, target):
    record = b""
    with gzip.open(source, "rt", encoding="utf-8") as old, gzip.open(target, "wb") as new:
        for text in old:
            line = json.loads(text)
            if line.get("type") == "check":
                line["bytes"], line["crc32"] = len(record), f"{zlib.crc32(record):08x}"
                record = b""
                new.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                continue
            out = json.dumps(poison(line), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            record += out
            new.write(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
