#!/usr/bin/env python3
"""Reads the configurations that are given to processes as the processes would, as far as keys go.

    deployments/keys.py RENDERED.yaml     config maps of what kustomize or helm rendered
    deployments/keys.py FILE.toml ...

Each must be TOML, and each of its keys must stand in the file of configs/ for its roles, where the tests
of the node compare them with the code. A file that has a password in an address, or the hash of a key
in place of a file with it, is refused: a config map is no secret. Ends with 1 if something is wrong.
Needs PyYAML.
"""

import pathlib
import re
import sys
import tomllib

import yaml

CONFIGS = pathlib.Path(__file__).parent.parent / "configs"
# Documented as inline tables.
OPEN = {"cluster.members", "archive.keep_states", "archive.keep_tenants"}


def documented(role):
    """The keys that configs/ROLE.toml names, commented out or not, with their tables."""
    keys, table = set(), ""
    for line in (CONFIGS / f"{role}.toml").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"(?:# )?\[([a-z_.]+)\]", line):
            table = match[1] + "."
        elif match := re.match(r"(?:# )?([a-z_]+) = ", line):
            keys.add(table + match[1])
    return keys


def keys_of(value, prefix=""):
    """The keys of a parsed file, with their tables."""
    for key, inner in value.items():
        name = prefix + key
        if isinstance(inner, dict) and name not in OPEN:
            yield from keys_of(inner, name + ".")
        else:
            yield name


def wrong(name, text):
    """Yields what is wrong with a configuration."""
    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        yield f"{name}: {error}"
        return
    roles = config.get("roles", [])
    if not roles:
        yield f"{name}: no roles"
        return
    known = set().union(*(documented(role) for role in roles))
    for key in sorted(set(keys_of(config)) - known):
        yield f"{name}: {key} is documented for none of {', '.join(roles)}"
    for table, schemes in (("archive", ("postgres", "postgresql")), ("cache", ("redis", "rediss"))):
        url = config.get(table, {}).get("url")
        if url is None:
            continue
        match = re.fullmatch(r"([a-z]+)://(?:([^@/]*)@)?([^@/?]+)(/[^?]*)?(\?.*)?", url)
        if not match or match[1] not in schemes:
            yield f"{name}: {table}.url is no address of {' or '.join(schemes)}"
        elif ":" in (match[2] or ""):
            yield f"{name}: {table}.url has a password"
        elif "password_file" not in config[table]:
            yield f"{name}: {table} has no password_file"
    access = config.get("access", {})
    if "gateway" in roles and "bootstrap_key_file" not in access:
        yield f"{name}: a gateway without access.bootstrap_key_file"
    if "bootstrap_key" in access:
        yield f"{name}: access.bootstrap_key stands in the configuration; name a file"


def configurations(path):
    """The configurations in a file, with their names."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if path.endswith(".toml"):
        yield path, text
        return
    for item in yaml.safe_load_all(text):
        if item and item["kind"] == "ConfigMap":
            yield from item["data"].items()


def main():
    """Looks at each file of the command line."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    count, found = 0, []
    for path in sys.argv[1:]:
        for name, text in configurations(path):
            count += 1
            found += wrong(name, text)
    for line in found:
        print(line)
    if found or not count:
        sys.exit(1)
    print(f"{count} configurations name known keys only")


if __name__ == "__main__":
    main()
