#!/usr/bin/env python3
"""Options of leat-serve from the command line, the environment and a file; what is wrong with them is said."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import PROGRAM, check, finish  # noqa: E402


def run(*words: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEAT_")}
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, env={**clean, **environment}, timeout=30)


def printed(*words: str, **environment: str) -> dict[str, tuple[str, str]]:
    """Of --print-config: each option's value and origin."""
    result = run(*words, "--print-config", **environment)
    check(result.returncode == 0, f"--print-config with {words}: {result.stderr}")
    found = {}
    for line in result.stdout.splitlines():
        setting, origin = line.removeprefix("# ").rsplit("  # ", 1)
        name, value = setting.split(" = ", 1)
        found[name] = (value, origin)
    return found


def refused(saying: str, *words: str, **environment: str) -> None:
    result = run(*words, **environment)
    check(result.returncode == 2 and saying in result.stderr, f"{words}: {result.returncode} {result.stderr!r}")
    check(len(result.stderr.splitlines()) == 1, f"{words}: one line is enough: {result.stderr!r}")


def check_order(file: pathlib.Path) -> None:
    file.write_text("""
root = "/srv/a"
memory = "100M"
open-files = 7
list = true
header = ["A: 1", "B: 2"]
[access]
log = "file.log"
""")
    all_of = printed("--config", str(file))
    check(all_of["root"] == ('"/srv/a"', f"{file}, line 2"), f"root of the file: {all_of['root']}")
    check(all_of["memory"] == ('"100M"', f"{file}, line 3"), f"memory of the file: {all_of['memory']}")
    check(all_of["list"][0] == "true", "a flag of the file")
    check(all_of["header"][0] == '["A: 1", "B: 2"]', f"a list of the file: {all_of['header']}")
    check(all_of["access-log"][0] == '"file.log"', "a table of the file")
    check(all_of["idle-timeout"] == ('"60s"', "default"), f"a default: {all_of['idle-timeout']}")
    both = printed("--config", str(file), "--open-files", "9", LEAT_MEMORY="200M", LEAT_OPEN_FILES="8", LEAT_LIST="0",
                   LEAT_HEADER="C: 3")
    check(both["memory"] == ('"200M"', "LEAT_MEMORY"), "the environment counts before the file")
    check(both["open-files"] == ("9", "command line"), "the command line counts before the environment")
    check(both["list"] == ("false", "LEAT_LIST"), f"a flag taken back: {both['list']}")
    check(both["header"] == ('["C: 3"]', "LEAT_HEADER"), f"one list, not a mixture: {both['header']}")
    check(printed("/srv/b", "--config", str(file))["root"] == ('"/srv/b"', "command line"), "ROOT")
    check(printed(LEAT_CONFIG=str(file))["memory"][0] == '"100M"', "LEAT_CONFIG")
    check(printed(LEAT_ROOT="/srv/c")["root"] == ('"/srv/c"', "LEAT_ROOT"), "LEAT_ROOT")
    secret = printed("--header", "Set-Cookie: a=b", "--header", "X-Api-Key: k")["header"][0]
    check(secret == '["Set-Cookie: ***", "X-Api-Key: ***"]', f"secrets are not shown: {secret}")
    # What is printed is a file for --config.
    again = file.with_name("again.toml")
    again.write_text(run("--config", str(file), "--print-config").stdout)
    check({name: one[0] for name, one in printed("--config", str(again)).items()} ==
          {name: one[0] for name, one in all_of.items()}, "what is printed can be read")


def check_round_trip(file: pathlib.Path) -> None:
    """Whatever is given, what is printed says the same as a file, the defaults among it."""
    check(printed("/")["listen"] == ('["127.0.0.1:8080"]', "default"), f"the default: {printed('/')['listen']}")
    given = ("--header", 'A: "q\\" \t \u00e9', "--header", "B: '#; = [x]", "--realm", "a'b#c",
             "--index", 'i \x7f"\\\n.html', "--list", "--rate", "3M", "--shards", "3", "--no-pin",
             "--admin-mode", "0640", "--listen", "[::1]:80",
             "--listen", "unix:/a b", "--head-timeout", "1500ms", "--access-log", "a#b", '/ro ot#"x')
    for words in ((), ("/",), given):
        first = run(*words, "--print-config")
        file.write_text(first.stdout)
        again = run("--config", str(file), "--print-config")
        check(again.returncode == 0, f"{words}: {again.stderr}")

        def settings(text: str) -> list[str]:
            return [line.rsplit("  # ", 1)[0] for line in text.splitlines()]

        check(settings(first.stdout) == settings(again.stdout), f"{words}: {first.stdout} and again {again.stdout}")
    odd = subprocess.run([os.fsencode(PROGRAM), b"/\xff", b"--print-config"], capture_output=True)
    file.write_bytes(odd.stdout)
    check(odd.stdout.startswith(b'# root = "/\xef\xbf\xbd"'), f"what no file can say is a comment: {odd.stdout[:40]!r}")
    check(run("--config", str(file), "/", "--print-config").returncode == 0, "and the rest can be read")


def check_faults(file: pathlib.Path) -> None:
    refused("ROOT is required")
    refused("--memory: \"lots\" is not a size", "--memory", "lots", "/")
    refused("(LEAT_MEMORY)", "/", LEAT_MEMORY="lots")
    refused("neither true nor false", "/", LEAT_LIST="maybe")
    refused("--tls-certificate", "--tls-key", "k", "/")
    refused("--header \"no colon\": ", "--header", "no colon", "/")
    refused("--max-head", "--max-head", "10", "/")
    refused("--realm has a quote", "--realm", 'a"b', "/")
    refused("--realm has a quote", "--realm", "a\r\nSet-Cookie: b", "/")
    for name in ("--head-timeout", "--idle-timeout", "--send-timeout"):
        refused(f"{name} is 0", name, "0s", "/")
    refused(f"--config: {file.parent} cannot be read", "--config", str(file.parent), "/")
    refused("--config: /dev/zero has more than 1 MiB", "--config", "/dev/zero", "/")
    for text, saying in (("memroy = 1", f"{file}, line 1: there is no option memroy; the nearest is memory"),
                         ("[tls]\ncertificat = 'x'", "line 2: there is no option tls-certificat; the nearest is "
                                                     "tls-certificate"),
                         ("memory = ", f"{file}, line 1: "), ("\nmemory = 'lots'", f"({file}, line 2)"),
                         ("memory = 1979-05-27", "line 1: a value is to be"),
                         ("memory = ''", "line 1: memory is empty"),
                         ("OPEN_FILES = 1", "the nearest is open-files"), ("listen = ['a', '']", "listen is empty"),
                         ('index = "a\\u0000b"', "line 1: index has a zero byte"), ("index = '..'", "--index"),
                         ("help = true", "no option help")):
        file.write_text(text)
        refused(saying, "--config", str(file), "/")
    refused("cannot be read", "--config", "/nowhere.toml", "/")
    misspelt = run("/", "--print-config", LEAT_MEMROY="1")
    check("LEAT_MEMROY is no option; is LEAT_MEMORY meant?" in misspelt.stderr, f"{misspelt.stderr!r}")
    for words, saying, code in ((("--listen", "nonsense"), "expected ADDRESS:PORT", 1),
                                (("--listen", "127.0.0.1:99999"), "is not a port", 1),
                                (("--max-connections", "9999999999"), "(ulimit -n)", 1),
                                (("--listen", "name.invalid:80"), "is not an address", 1),
                                (("--tls-certificate", "/nowhere.pem"), "--tls-certificate /nowhere.pem", 1),
                                (("--password-file", "/nowhere"), "/nowhere", None),
                                (("--access-log", "/nowhere/log"), "--access-log /nowhere/log", 1)):
        result = run("--memory", "48M", "--chunk-size", "1M", "--listen", "127.0.0.1:0", *words, "/tmp")
        check(result.returncode == code or code is None and result.returncode != 0, f"{words}: {result.returncode}")
        check(saying in result.stderr, f"{words}: {result.stderr!r}")
    gone = run("--memory", "48M", "--chunk-size", "1M", "--listen", "127.0.0.1:0", "/nowhere")
    check(gone.returncode == 3 and "/nowhere" in gone.stderr, f"no root: {gone.returncode} {gone.stderr!r}")


def check_misspelt() -> None:
    """A misspelt option of the command line is told by the nearest one, by every program."""
    for given, meant, words in (("--memroy", "memory", ("--memroy", "1G", "/")), ("--lst", "list", ("/", "--lst")),
                                ("--memroy", "memory", ("--memroy=1G", "/")), ("--halp", "help", ("--halp",)),
                                ("-memory", "memory", ("-memory", "1G", "/")),
                                ("--tls-cert", "tls-key", ("--tls-cert", "a", "/")),
                                ("--print-confg", "print-config", ("--print-confg", "/"))):
        refused(f"there is no option {given}; the nearest is --{meant} (see --help)", *words)
    refused("there is no option --zzz (see --help)", "--zzz", "/")
    refused("/tmp", "/", "/tmp")  # a second ROOT is no option
    if cat := os.environ.get("LEAT_CAT"):
        result = subprocess.run([cat, "--statz", "/etc/passwd"], capture_output=True, text=True, timeout=30)
        check(result.returncode == 2 and "--statz; the nearest is --stats" in result.stderr, f"{result.stderr!r}")
    quiet = run("/", "--print-config", LEAT_CAT="a program")
    check(quiet.stderr == "", f"another variable is no option misspelt: {quiet.stderr!r}")


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        file = pathlib.Path(folder).resolve() / "serve.toml"
        check_order(file)
        check_round_trip(file)
        check_faults(file)
    check_misspelt()
    teaches = run("--help")
    check(teaches.returncode == 0 and "Examples:" in teaches.stdout and "Signals:" in teaches.stdout, "--help")
    check(max(map(len, teaches.stdout.splitlines())) <= 102, "--help fits")
    finish()


if __name__ == "__main__":
    main()
