#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the examples of a guide and compares what they print with what it shows. Prints KTAP.

Usage: session.py GUIDE.md [DIRECTORY]     DIRECTORY: of the commands, in PATH; default: build

A block marked sh is run, and must end with status 0. A block marked text that follows it is what it
prints on standard output: its lines, in this order; a line "..." stands for any lines, "..." within a line for anything, a
number for any number, blanks for any blanks. The blocks below one "##" heading share a shell, begun anew
for each heading; what they leave in the background is ended with it.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile

LIMIT_S = 600   # for one heading: guests are emulated, beside other work
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Example:
    """A block of commands, and the lines that it prints, or None."""

    def __init__(self, commands):
        self.commands = commands
        self.expected = None

    def name(self):
        lines = [line for line in self.commands.splitlines() if line.strip()]
        return lines[-1].strip()[:60].replace("#", "")


def sections(text):
    """Yields each heading with its examples."""
    heading, examples, last = "", [], None
    for match in re.finditer(r"^## ([^\n]*)$|^```(\w*)\n(.*?)^```$|^\S[^\n]*$", text, re.M | re.S):
        if match.group(1):
            yield heading, examples
            heading, examples, last = match.group(1), [], None
        elif match.group(2) == "sh":
            last = Example(match.group(3))
            examples.append(last)
        elif match.group(2) == "text" and last:
            last.expected = match.group(3).splitlines()
            last = None
        else:
            last = None
    yield heading, examples


def pattern(lines):
    """What lines of the guide stand for."""
    text = ""
    for line in lines:
        if line.strip() == "...":
            text += r"(?:.*\n)*"
            continue
        words = [".*".join(re.escape(NUMBER.sub("\0", piece)) for piece in word.split("..."))
                 for word in line.split()]
        text += r"\s*" + r"\s+".join(words).replace("\0", r"\d+(?:[.,]\d+)*") + r"\s*?\n"
    return text


def missing(expected, printed):
    """The first line of the guide that was not printed where it should be, or None."""
    text = "".join(line + "\n" for line in printed)
    for count, line in enumerate(expected, 1):
        if not re.fullmatch(pattern(expected[:count] + ["..."]), text):
            return line
    return None if re.fullmatch(pattern(expected), text) else "(the end: there is more)"


def run(examples, directory, scratch):
    """Runs the blocks in one shell. Returns for each its status, or None, its output and errors."""
    script = ["set -u"]
    for i, example in enumerate(examples):
        script.append(f"{{ {example.commands}\n}} >{scratch}/{i}.out 2>{scratch}/{i}.err </dev/null"
                      f"\necho $? >{scratch}/{i}.status")
    environment = dict(os.environ, PATH=os.path.abspath(directory) + ":" + os.environ["PATH"],
                       LC_ALL="C.UTF-8")
    with subprocess.Popen(["bash", "-c", "\n".join(script)], env=environment,
                          start_new_session=True) as shell:
        try:
            shell.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    results = []
    for i in range(len(examples)):
        texts = []
        for kind in ("status", "out", "err"):
            try:
                with open(f"{scratch}/{i}.{kind}", encoding="utf-8", errors="replace") as file:
                    texts.append(file.read())
            except FileNotFoundError:
                texts.append("")
        results.append((int(texts[0]) if texts[0] else None, texts[1].splitlines(),
                        texts[2].splitlines()))
    return results


def judge(example, status, printed):
    """What is wrong with it, or None."""
    if status is None:
        return "it did not end"
    if status != 0:
        return f"it ended with status {status}"
    if example.expected is not None:
        line = missing(example.expected, printed)
        if line is not None:
            return f"not printed, or not there: {line}"
    return None


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    guide = sys.argv[1]
    directory = sys.argv[2] if len(sys.argv) > 2 else "build"
    with open(guide, encoding="utf-8") as file:
        text = file.read()
    count = failed = 0
    suite = os.path.splitext(guide)[0].replace("/", ".")
    print(f"KTAP version 1\n# suite: {suite}")
    for heading, examples in sections(text):
        if not examples:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            results = run(examples, directory, scratch)
        for example, (status, printed, errors) in zip(examples, results):
            count += 1
            problem = judge(example, status, printed)
            if problem:
                failed += 1
                print(f"# {problem}")
                for line in printed[-40:] + errors[-10:]:
                    print(f"#   {line}")
            print(f"{'not ok' if problem else 'ok'} {count} - {suite}.{heading}: {example.name()}",
                  flush=True)
    print(f"1..{count}")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
