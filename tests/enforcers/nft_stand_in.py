#!/usr/bin/env python3
"""Stands in for nft where no network namespace may be made: the few statements that bootgate-nftables uses.

What it holds is in the file that $NFT_STAND_IN names. All statements of one call, or none.
"""

import fcntl
import json
import os
import re
import sys

ELEMENTS = re.compile(r"(add|delete) element inet (\w+) (\w+) \{ ([0-9a-f.:, ]+) \}")
SET = re.compile(r"add set inet (\w+) (\w+) \{ type (ipv4_addr|ipv6_addr); \}")


def fail():
    sys.exit("Error: No such file or directory")


def apply(tables, statement):
    if statement == "flush ruleset":
        tables.clear()
    elif made := re.fullmatch(r"add table inet (\w+)", statement):
        tables.setdefault(made[1], {})
    elif made := SET.fullmatch(statement):
        tables[made[1]].setdefault(made[2], [])
    elif moved := ELEMENTS.fullmatch(statement):
        members = tables.get(moved[2], {}).get(moved[3])
        if members is None:
            fail()
        for element in moved[4].split(", "):
            if moved[1] == "add" and element not in members:
                members.append(element)
            elif moved[1] == "delete":
                if element not in members:
                    fail()
                members.remove(element)
    else:
        sys.exit(f"Error: syntax error: {statement}")


def main():
    words = sys.argv[1:]
    with open(os.environ["NFT_STAND_IN"], "a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        tables = json.loads(file.read() or "{}")
        if words[:3] == ["-j", "list", "set"]:
            _, _, _, family, table, name = words
            if name not in tables.get(table, {}):
                fail()
            elements = tables[table][name]
            told = {"family": family, "name": name, "table": table, **({"elem": elements} if elements else {})}
            print(json.dumps({"nftables": [{"metainfo": {}}, {"set": told}]}))
            return
        text = sys.stdin.read() if words == ["-f", "-"] else " ".join(words)
        for statement in text.splitlines():
            apply(tables, statement)
        file.truncate(0)
        file.write(json.dumps(tables))


main()
