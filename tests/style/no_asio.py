"""The shared library contains nothing of Asio: users' programs compile it, against their own Boost.

no_asio.py LIBRARY
"""

import subprocess
import sys


def symbols(library, *options):
    listing = subprocess.run(
        ["nm", "-C", *options, library], check=True, capture_output=True, text=True
    )
    return listing.stdout.splitlines()


def main():
    library = sys.argv[1]
    every = symbols(library, "-D") + symbols(library)
    if not any("leat::engine::stop()" in line for line in every):
        sys.exit(f"{library}: nm does not show its symbols")
    found = sorted({line for line in every if "asio::" in line})
    if found:
        sys.exit("\n".join([f"{library} contains Asio:", *found[:20]]))


main()
