#!/usr/bin/env python3
"""Installs the build into a temporary folder and builds users' programs against it by pkg-config alone.

usage: install_test.py BUILD_FOLDER COMPILER...

consumer.cpp is built at -O0 and at -O2, with the compiler of the build and with clang++-19 where that is installed,
and run with the shared and the static library, whichever there is; the examples are built once, with the
compiler of the build.
"""

import concurrent.futures
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CONSUMER = pathlib.Path(__file__).with_name("consumer.cpp")
OTHER_COMPILER = "clang++-19"
APPS = pathlib.Path(__file__).resolve().parents[2] / "apps"


def run(command: list[str], **options) -> str:
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\nended with {result.returncode}:\n{result.stdout}")
    return result.stdout


def installed_tree(build: str, destination: pathlib.Path) -> pathlib.Path:
    """Installs into the destination; returns the folder of leat.pc."""
    run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", str(destination)])
    descriptions = list(destination.rglob("leat.pc"))
    if len(descriptions) != 1:
        raise RuntimeError(f"expected one leat.pc below {destination}, found {descriptions}")
    return descriptions[0].parent


def flags(packages: pathlib.Path, *options: str, names: tuple[str, ...] = ("leat",)) -> list[str]:
    search = [str(packages), os.environ.get("PKG_CONFIG_PATH", "")]
    environment = dict(os.environ, PKG_CONFIG_PATH=":".join(filter(None, search)))
    return run(["pkg-config", *options, *names], env=environment).split()


def build_and_run(
    compiler: list[str], level: str, kinds: list[str], packages: pathlib.Path, folder: pathlib.Path
) -> str:
    name = f"{pathlib.Path(compiler[-1]).name} {level}"
    program = folder / name.replace(" ", "_")
    run([*compiler, "-std=c++20", level, *flags(packages, "--cflags"), "-c", str(CONSUMER), "-o", f"{program}.o"])
    for kind in kinds:
        if kind == "static":
            # The installed tree holds both libraries, and the linker prefers the shared one unless it is told.
            link_flags = flags(packages, "--libs", "--static")
            link_flags = ["-l:libleat.a" if flag == "-lleat" else flag for flag in link_flags]
        else:
            link_flags = flags(packages, "--libs")
        run([*compiler, f"{program}.o", "-o", f"{program}_{kind}", *link_flags])
        environment = dict(os.environ, LD_LIBRARY_PATH=str(packages.parent))
        run([f"{program}_{kind}"], env=environment, timeout=120)
    return f"{name} {' '.join(kinds)}"


def with_common(source: pathlib.Path) -> list[pathlib.Path]:
    """The source, and those of the parts of apps/common and apps/http that it includes, by way of others too."""
    found = [source]
    for each in found:
        texts = [path.read_text() for path in (each, each.with_suffix(".hpp")) if path.exists()]
        for name in re.findall(r'#include "((?:common|http)/\w+)\.hpp"', "\n".join(texts)):
            part = APPS / f"{name}.cpp"
            if part not in found:
                found.append(part)
    return [path for path in found if path.exists()]


def build_example(
    compiler: list[str], source: pathlib.Path, packages: pathlib.Path, folder: pathlib.Path
) -> str:
    names = ("leat", "openssl") if source.stem.startswith("tls") else ("leat",)
    options = [f"-I{APPS}", *flags(packages, "--cflags", "--libs", names=names)]
    sources = [str(path) for path in with_common(source)]
    run([*compiler, "-std=c++20", "-O0", *sources, "-o", str(folder / source.stem), *options])
    return f"example {source.stem}"


def main() -> int:
    build, *compiler = sys.argv[1:]
    compilers = [compiler]
    if shutil.which(OTHER_COMPILER) and OTHER_COMPILER not in compiler:
        compilers.append([OTHER_COMPILER])
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        packages = installed_tree(build, pathlib.Path(folder) / "installed")
        libraries = {"shared": "libleat.so", "static": "libleat.a"}
        kinds = [kind for kind, name in libraries.items() if (packages.parent / name).exists()]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [
                pool.submit(build_and_run, one, level, kinds, packages, pathlib.Path(folder))
                for one, level in itertools.product(compilers, ["-O0", "-O2"])
            ]
            runs += [
                pool.submit(build_example, compiler, source, packages, pathlib.Path(folder))
                for source in sorted(APPS.glob("examples/*.cpp"))
            ]
            for finished in runs:
                try:
                    print(f"ok: {finished.result()}")
                except Exception as error:
                    failures += 1
                    print(f"failed: {error}")
    return 1 if failures else 0


sys.exit(main())
