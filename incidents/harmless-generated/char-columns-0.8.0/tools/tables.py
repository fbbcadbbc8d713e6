#!/usr/bin/env python3
"""Makes src/tables.rs from EastAsianWidth.txt."""
import sys


def main(path):
    for line in open(path):
        line = line.split("#")[0].strip()
        if line:
            print(line)


main(sys.argv[1])
