#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Does kmod/debugfs.md say what the module's files say? In a guest in which they are busy.

Usage: labels.py collect DOCUMENT SHAPES ROOT SECONDS
       labels.py judge DOCUMENT SHAPES

collect: creates SHAPES, reads all files below ROOT again and again until it has seen all that the document
says is always there, or the time is over, and writes what there was: a line for each sort of line that a
file had (a file that never has two labels in a line counts as one line): file, mode, first line, labels.
judge: prints what of the document is not so, and "conditional, not seen:" for what may be absent. Exit
status 1 if something is not so.

What must hold: a file that is there is documented, with its mode and first line, and the other way round;
each line has all labels that are documented as always there; each label is documented.
"""
import os
import re
import sys
import time


class File:
    """What the document says of a file."""

    def __init__(self, path, mode):
        self.path = path
        self.mode = mode
        self.always = set()
        self.sometimes = set()


def documented(name):
    """{path: File}"""
    with open(name, encoding="utf-8") as file:
        text = file.read()
    files = {}
    for section in re.split(r"^### ", text.split("\n## The files\n", 1)[1], flags=re.M)[1:]:
        title, body = section.split("\n", 1)
        mode = re.search(r"^Mode 0(\d\d\d)\.", body, re.M)
        table = re.search(r"^\| label \|.*\n\|[-|]+\n((?:\|.*\n)+)", body, re.M)
        for path in re.findall(r"`([^`]+)`", title):
            entry = files[path] = File(path, mode.group(1) if mode else "?")
            for row in table.group(1).splitlines() if table else ():
                label, _unit, there, _meaning = re.match(
                    r"\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| (.+) \|$", row).groups()
                (entry.always if there == "always" else entry.sometimes).add(label)
    return files


def shapes_of(text):
    """The sets of labels of a file's lines, as sorted tuples."""
    lines = []
    for line in text.splitlines():
        labels = [] if line.startswith("#") else re.findall(r"(?:^| )([a-z][\w-]*)=", line)
        if labels:
            lines.append(tuple(sorted({re.sub(r"^b\d+$", "b<k>", label) for label in labels})))
    if lines and max(map(len, lines)) == 1:
        return {tuple(sorted({label for line in lines for label in line}))}
    return set(lines)


def look(root, seen, only=""):
    """Adds to the set of (path, mode, first line, labels)."""
    for directory, _, names in os.walk(root):
        for name in names:
            real = os.path.join(directory, name)
            path = re.sub(r"^(domains|loops|arbiters)/[^/]+/", r"\1/NAME/",
                          os.path.relpath(real, root))
            if only and path not in only:
                continue
            try:
                mode = f"{os.stat(real).st_mode & 0o777:03o}"
                text = ""
                if mode != "200":
                    with open(real, encoding="ascii") as file:
                        text = file.read()
            except OSError:
                continue  # what it was of has gone meanwhile
            head = text.split("\n", 1)[0]
            seen.add((path, mode, head, ()))
            seen.update((path, mode, head, shape) for shape in shapes_of(text))


def missing(files, seen):
    """Files and labels that should have been there."""
    shown = {(path, label) for path, _, _, labels in seen for label in labels}
    wanted = {(f.path, label) for f in files.values() for label in f.always}
    return sorted(set(files) - {path for path, _, _, _ in seen}) + [
        f"{path}: {label}" for path, label in sorted(wanted - shown)]


def collect(document, shapes, root, seconds):
    files, seen, end = documented(document), set(), time.monotonic() + float(seconds)
    with open(shapes, "w", encoding="ascii") as file:
        look(root, seen)
        # What is rare comes and goes within milliseconds: look for that alone.
        while time.monotonic() < end and (rest := missing(files, seen)):
            look(root, seen, {what.split(":")[0] for what in rest})
            time.sleep(0.01)
        look(root, seen)
        for path, mode, head, labels in sorted(seen):
            file.write(f"{path}\t{mode}\t{head}\t{' '.join(labels)}\n")


def judge(document, shapes):
    files, seen, wrong = documented(document), set(), set()
    with open(shapes, encoding="ascii") as file:
        for line in file:
            path, mode, head, labels = line.rstrip("\n").split("\t")
            seen.add((path, mode, head, tuple(labels.split())))
    if not files or not seen:
        wrong.add("nothing was compared")
    for path, mode, head, labels in seen:
        entry = files.get(path)
        if not entry:
            wrong.add(f"{path} is not documented")
            continue
        if mode != entry.mode:
            wrong.add(f"{path}: mode 0{mode}, documented 0{entry.mode}")
        if mode != "200" and head != f"# headway.{os.path.basename(path)} v1":
            wrong.add(f"{path}: its first line is {head}")
        for label in set(labels) - entry.always - entry.sometimes:
            wrong.add(f"{path}: {label} is not documented")
        for label in entry.always - set(labels) if labels else ():
            wrong.add(f"{path}: {label} is not always there")
    wrong.update(f"never seen: {what}" for what in missing(files, seen))
    for line in sorted(wrong):
        print(line)
    shown = {(path, label) for path, _, _, labels in seen for label in labels}
    rare = {(f.path, label) for f in files.values() for label in f.sometimes} - shown
    print("conditional, not seen:", ", ".join(sorted(" ".join(r) for r in rare)) or "none")
    return bool(wrong)


def main():
    if sys.argv[1] == "collect":
        return collect(*sys.argv[2:])
    return judge(*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
