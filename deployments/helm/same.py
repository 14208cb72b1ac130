#!/usr/bin/env python3
"""Compares what two commands rendered, object by object: `same.py KUSTOMIZED.yaml TEMPLATED.yaml`.

Prints each difference with its place and ends with 1 if there is one. Needs PyYAML.
"""

import difflib
import sys

import yaml


def objects(path):
    """The objects of a file by kind, namespace and name."""
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    found = {}
    for document in documents:
        meta = document["metadata"]
        key = f"{document['kind']} {meta.get('namespace', '-')}/{meta['name']}"
        if key in found:
            sys.exit(f"{path}: {key} stands there twice")
        found[key] = document
    return found


def differences(place, left, right):
    """Yields a line for each place where two values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                yield f"{place}.{key}: only in the {'first' if key in left else 'second'}"
            else:
                yield from differences(f"{place}.{key}", left[key], right[key])
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, pair in enumerate(zip(left, right)):
            yield from differences(f"{place}[{index}]", *pair)
    elif isinstance(left, str) and isinstance(right, str) and left != right:
        lines = difflib.unified_diff(left.splitlines(), right.splitlines(), lineterm="", n=0)
        yield f"{place}: " + "\n  ".join(list(lines)[2:])
    elif left != right:
        yield f"{place}: {left!r} is not {right!r}"


def main():
    """Compares the two files of the command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    left, right = objects(sys.argv[1]), objects(sys.argv[2])
    found = list(differences("", left, right))
    for line in found:
        print(line.lstrip("."))
    if not left or found:
        sys.exit(1)
    print(f"{len(left)} objects are the same")


if __name__ == "__main__":
    main()
