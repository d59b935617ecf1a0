# Sourced by the tests of programs: a folder of their own, expectations, and what to say when one is not met.
# Quiet while all is well; finish() gives the exit code.
set -uo pipefail

: "${LEAT_CAT:?the path of leat-cat}"
work=$(mktemp --directory "$PWD/app-test.XXXXXX")
cd "$work" || exit 99
failures=0
cleanups=()

clean_up() {
    local command
    for command in "${cleanups[@]}"; do $command; done
    cd / && rm -rf "$work"
}
trap clean_up EXIT

wrong() {
    printf '%s\n' "$*" >&2
    if [[ -s err ]]; then sed 's/^/  standard error: /' err >&2; fi
    failures=$((failures + 1))
}

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

finish() { exit $((failures != 0)); }

# make_file NAME BYTES: bytes that no two chunks share.
make_file() { head --bytes="$2" /dev/urandom >"$1"; }

# cat_gives CODE ARGUMENT...: leat-cat ends so; its output is in out, what it says in err.
cat_gives() {
    local expected=$1 code
    shift
    "${under[@]}" "$LEAT_CAT" "$@" >out 2>err
    code=$?
    [[ $code -eq $expected ]] || wrong "leat-cat $*: exit code $code, not $expected"
}
under=() # a command that runs leat-cat, such as strace

# says PATTERN [WHAT]: the last run printed this on standard error.
says() { grep --quiet --extended-regexp -e "$1" err || wrong "standard error lacks: $1"; }
says_nothing() { [[ ! -s err ]] || wrong "standard error was to be empty"; }
lines_said() { [[ $(wc -l <err) -eq $1 ]] || wrong "standard error has $(wc -l <err) lines, not $1"; }

# same FILE [WHAT]: the last run's output is that file.
same() { cmp --silent out "$1" || wrong "other bytes than those of $1${2:+: $2}"; }

need_strace() {
    command -v strace >/dev/null || skip "there is no strace"
    strace -o /dev/null true 2>/dev/null || skip "strace is not permitted here"
}
