#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks that every line of the files is JSON that fits the schema of its own type.

Usage: schema.py SCHEMA FILE...      prints what is wrong, one line each; exit status 1 then
       schema.py --get EXPR FILE     prints EXPR of the lines `L` (findings `F`, summary `S`)

The sub-schema of the line's own type is used, so that an error names the key and not "no
alternative fits"; the whole schema must accept the line too.
"""
import json
import sys

import jsonschema


def read_lines(path):
    """Yields (number, text) of the lines; the newline at the end is required."""
    with open(path, encoding="utf-8", newline="\n") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith("\n"):
                raise ValueError(f"line {number} is cut off")
            yield number, text


def errors_of(schema, thing):
    """Yields what is wrong with one object."""
    validator = jsonschema.validators.validator_for(schema)
    kind = thing.get("type") if isinstance(thing, dict) else None
    if kind not in schema["$defs"]:
        yield f"type {kind!r} is not in the schema"
        return
    own = dict(schema["$defs"][kind])
    own["$defs"] = schema["$defs"]
    for error in validator(own).iter_errors(thing):
        yield f"{'/'.join(map(str, error.path))}: {error.message[:200]}"
    for error in validator(schema).iter_errors(thing):
        yield f"whole schema: {error.message[:100]}"


def check(schema_path, paths):
    """Return: the number of faults."""
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.validators.validator_for(schema).check_schema(schema)
    faults = lines = 0
    for path in paths:
        try:
            for number, text in read_lines(path):
                lines += 1
                for error in errors_of(schema, json.loads(text)):
                    print(f"{path}:{number}: {error}")
                    faults += 1
        except ValueError as error:
            print(f"{path}: {error}")
            faults += 1
    if not lines:
        print("no line at all")
        faults += 1
    return faults


def get(expression, path):
    """Prints one value out of a file of JSON lines."""
    lines = [json.loads(text) for _, text in read_lines(path)]
    names = {"L": lines, "F": [x for x in lines if x["type"] == "finding"],
             "S": next((x for x in lines if x["type"] == "summary"), None)}
    print(eval(expression, {}, names))  # the expression is the test's own


if __name__ == "__main__":
    if sys.argv[1] == "--get":
        get(sys.argv[2], sys.argv[3])
    else:
        sys.exit(1 if check(sys.argv[1], sys.argv[2:]) else 0)
