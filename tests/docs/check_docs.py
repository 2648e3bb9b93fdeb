#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Are the examples in the documentation real? Prints KTAP.

Usage: check_docs.py [TOP]     TOP: the tree to check; default: the one that this file is in

Checks README.md, CONTRIBUTING.md, CHANGELOG.md, the guides, and the example in headway.h, against the sources and
the built tool: code is the code that the tests build, commands and options exist, so do make targets,
files and verdicts.
"""
import os
import re
import subprocess
import sys

TOP = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "kmod/backoff.md",
             "kmod/debugfs.md", "kmod/guide.md", "userspace/guide.md")
CALLER = "kmod/examples/caller.c"
HEADER = "kmod/include/headway.h"
PARTS = {
    "kmod/include/headway_arbiter.h": "kmod/examples/device_claim.c",
    "kmod/include/headway_group.h": "kmod/examples/device_claim.c",
    "kmod/include/headway_breaker.h": "kmod/examples/poll_breaker.c",
}
TOOL = "build/headway"


class Failure(Exception):
    """Says what is wrong, for the report."""


def read(name):
    try:
        with open(os.path.join(TOP, name), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}") from error


def fenced(text, language):
    """The contents of the code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def paragraphs(code):
    """Top-level pieces: a blank line inside of braces does not end one."""
    pieces, current = [], []
    for line in code.splitlines():
        if not line.strip() and (not current or current[-1][:1] not in ("{", "\t")):
            if current:
                pieces.append("\n".join(current))
            current = []
            continue
        current.append(line.rstrip())
    if current:
        pieces.append("\n".join(current))
    return pieces


def require_verbatim(pieces, where, static_may_differ):
    """Each piece is in the caller, whole lines, and in the same order."""
    def plain(code):
        return re.sub(r"^static DEFINE_", "DEFINE_", code, flags=re.M) if static_may_differ else code

    caller = "\n" + plain(read(CALLER))
    position = 0
    for piece in pieces:
        found = caller.find("\n" + plain(piece) + "\n", position)
        if found < 0:
            raise Failure(f"{where}: this is not in {CALLER} (or not in this order):\n{piece}")
        position = found + len(piece)


def check_readme_caller():
    blocks = fenced(read("README.md"), "c")
    if len(blocks) != 1:
        raise Failure(f"README.md has {len(blocks)} C blocks, not the one caller")
    if "headway_lock_many" not in blocks[0] or "headway_txn_end" not in blocks[0]:
        raise Failure("the C block in README.md does not take locks in a transaction")
    pieces = [p for p in paragraphs(blocks[0]) if not p.startswith("#include")]
    require_verbatim(pieces, "README.md", False)


def check_header_caller():
    doc = re.search(r"/\*\*\n \* DOC:.*?\*/", read(HEADER), re.S)
    if not doc:
        raise Failure(f"{HEADER} has no DOC block")
    # The first literal block: after a line that ends in "::", indented by a tab.
    block = re.search(r"::\n \*\n((?: \*(?:\t.*)?\n)+)", doc.group(0))
    if not block:
        raise Failure(f"{HEADER}: no example in the DOC block")
    code = re.sub(r"^ \*\t?", "", block.group(1), flags=re.M)
    if "headway_txn_begin" not in code:
        raise Failure(f"{HEADER}: the first example begins no transaction:\n{code}")
    require_verbatim(paragraphs(code), HEADER, True)


def check_part_examples():
    """The examples in the DOC blocks of the other headers are pieces of the examples that are built."""
    def plain(code):
        return " ".join(re.sub(r"/\*.*?\*/", " ", code, flags=re.S).split())

    for header, example in PARTS.items():
        doc = re.search(r"/\*\*\n \* DOC:.*?\*/", read(header), re.S)
        blocks = re.findall(r"::\n \*\n((?: \*(?:\t.*)?\n)+)", doc.group(0)) if doc else []
        if not blocks:
            raise Failure(f"{header}: no example in a DOC block")
        code = plain(read(example))
        for block in blocks:
            for piece in re.sub(r"^ \*\t?", "", block, flags=re.M).strip().split("\n\n"):
                if plain(piece) not in code:
                    raise Failure(f"{header}: this is not in {example}:\n{piece}")


def check_guide_code():
    """The C code of the guides stands in the examples as it is, whole lines."""
    examples = "\n".join("\n" + read(f"kmod/examples/{name}") for name in
                         sorted(os.listdir(os.path.join(TOP, "kmod/examples"))) if name.endswith(".c"))
    blocks = fenced(read("kmod/guide.md"), "c")
    if not blocks:
        raise Failure("kmod/guide.md shows no code")
    for block in blocks:
        if "\n" + block not in examples:
            raise Failure(f"kmod/guide.md: this is in no file of kmod/examples/:\n{block}")


def tool(*arguments):
    path = os.path.join(TOP, TOOL)
    if not os.path.exists(path):
        raise Failure(f"{TOOL} is not built: make userspace")
    try:
        done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{TOOL} {arguments}: {error}") from error
    return done.returncode, done.stdout.decode("utf-8", "replace")


def command_lines(text):
    """(verb, options) of each `headway VERB ...` in code of a document."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S)
    for chunk in code:
        for line in chunk.splitlines():
            match = re.search(r"(?:^|[\s$/])headway ([a-z]+)(.*)$", line.strip())
            if match and not re.search(r"[{<]", match.group(1)):
                own = re.split(r" -- |[#|]", match.group(2))[0]
                yield match.group(1), re.findall(r"(?:^|[\s\[])(--?[a-zA-Z][-a-z]*)", own)


def check_commands():
    status, listing = tool("--help")
    if status:
        raise Failure(f"headway --help: exit status {status}\n{listing}")
    helps = {}
    seen = 0
    for document in DOCUMENTS:
        for verb, options in command_lines(read(document)):
            seen += 1
            if not re.search(rf"^\s+{verb}\b", listing, re.M):
                raise Failure(f"{document} names 'headway {verb}', which headway --help does not")
            if verb not in helps:
                status, helps[verb] = tool(verb, "--help")
                if status:
                    raise Failure(f"headway {verb} --help: exit status {status}\n{helps[verb]}")
            for option in options:
                if not re.search(rf"(?:^|[\s,\[]){re.escape(option)}(?![-\w])", helps[verb], re.M):
                    raise Failure(f"{document}: 'headway {verb} {option}': no such option in its help")
    if not seen:
        raise Failure("the documents name no command at all")


def check_verbs_documented():
    """README leaves no command out."""
    status, listing = tool("--help")
    if status:
        raise Failure(f"headway --help: exit status {status}\n{listing}")
    section = re.search(r"^Commands:\n((?:  .*\n)+)", listing, re.M)
    verbs = re.findall(r"^  ([a-z]+)\b", section.group(1) if section else "", re.M)
    missing = [verb for verb in verbs if not re.search(rf"headway {verb}\b", read("README.md"))]
    if not verbs or missing:
        raise Failure(f"in headway --help but not in README.md: {missing or 'nothing was listed'}")


def check_make_targets():
    targets = set(re.findall(r"^([a-z_]+)(?: [a-z_]+)*:(?!=)", read("Makefile"), re.M))
    seen = 0
    for document in DOCUMENTS:
        text = read(document)
        code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```\w*\n(.*?)^```$", text,
                                                             re.M | re.S)
        for name in re.findall(r"(?:^|[\s;&])make ((?:[a-z_]+ ?)+)", "\n".join(code), re.M):
            for target in name.split():
                seen += 1
                if target not in targets:
                    raise Failure(f"{document} names 'make {target}'; the Makefile has no such target")
    if not seen:
        raise Failure("the documents name no make target at all")


def check_files():
    seen = 0
    for document in DOCUMENTS:
        text = read(document)
        names = [n for n in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in n]
        names += re.findall(r"`((?:kmod|bpf|userspace|tests|\.ci)/[\w./-]*)`", text)
        for name in names:
            seen += 1
            if not os.path.exists(os.path.join(TOP, name)):
                raise Failure(f"{document} names {name}, which is not there")
    if not seen:
        raise Failure("the documents name no file at all")


def table_rows(head):
    """First cells of the table in README.md whose header's first cell is HEAD."""
    table = re.search(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", read("README.md"), re.M)
    if not table:
        raise Failure(f"README.md has no table with '{head}' in its head")
    return set(re.findall(r"^\| `([a-z-]+)` \|", table.group(1), re.M))


def compare(names, rows, where):
    if not names or names != rows:
        raise Failure(f"only in {where}: {sorted(names - rows)}, only in README.md: {sorted(rows - names)}")


def check_verdicts():
    """The verdict table has every word of the engine's list, and no other."""
    source = read("userspace/finding.c")
    match = re.search(r"verdict\w*\[[^\]]*\]\s*=\s*\{(.*?)\n\};", source, re.S)
    if not match:
        raise Failure("userspace/finding.c: no list of verdict names")
    names = set(re.findall(r'\[HEADWAY_\w+\]\s*=\s*"([a-z-]+)"', match.group(1)))
    compare(names, table_rows("verdict"), "userspace/finding.c")


def check_policies():
    types = "kmod/include/headway_types.h"
    match = re.search(r"#define HEADWAY_POLICIES\(X\)((?:.*\\\n)+.*)", read(types))
    if not match:
        raise Failure(f"{types}: no list of policies")
    names = set(re.findall(r'X\(\w+, "([a-z-]+)"', match.group(1)))
    compare(names, table_rows("policy"), types)


def check_tiers():
    """CONTRIBUTING.md has a row for every tier that `make check` runs, and for no other."""
    tests = os.path.join(TOP, "tests")
    tiers = {d for d in os.listdir(tests) if os.path.exists(os.path.join(tests, d, "run.sh"))}
    tiers -= {"bench"}  # its own target
    rows = set(re.findall(r"^\| `tests/(\w+)/` \|", read("CONTRIBUTING.md"), re.M))
    if tiers != rows:
        raise Failure(f"tiers without a row: {sorted(tiers - rows)}, rows without a tier: "
                      f"{sorted(rows - tiers)}")


def check_counters():
    """kmod/debugfs.md has every counter of a domain, with the words of the module's list."""
    counters = re.findall(r'^X\(\w+, "(\w+)", "(.*)"\)$', read("kmod/stats_list.h"), re.M)
    document = "kmod/debugfs.md"
    text = read(document)
    for name, meaning in counters:
        if f"| `{name}` | count | always | {meaning} |\n" not in text:
            raise Failure(f"{document}: no counter '{name}: {meaning}'")
    if not counters:
        raise Failure("kmod/stats_list.h: no list of counters")


CHECKS = (
    ("readme_caller_is_built_code", check_readme_caller),
    ("header_example_is_built_code", check_header_caller),
    ("part_examples_are_built_code", check_part_examples),
    ("guide_code_is_built_code", check_guide_code),
    ("commands_and_options_exist", check_commands),
    ("every_command_is_in_the_readme", check_verbs_documented),
    ("make_targets_exist", check_make_targets),
    ("files_exist", check_files),
    ("verdict_table_is_complete", check_verdicts),
    ("policy_table_is_complete", check_policies),
    ("debugfs_counters_are_the_modules", check_counters),
    ("tier_table_is_complete", check_tiers),
)


def main():
    failed = False
    print(f"KTAP version 1\n# suite: docs\n1..{len(CHECKS)}")
    for number, (name, check) in enumerate(CHECKS, 1):
        try:
            check()
            print(f"ok {number} - docs.{name}")
        except Failure as failure:
            failed = True
            print("".join(f"# {line}\n" for line in str(failure).splitlines()), end="")
            print(f"not ok {number} - docs.{name}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
