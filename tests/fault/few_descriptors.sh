#!/usr/bin/env bash
# Too few descriptors: either the bytes, or an error that says what is lacking; never silence, never a hang.
. "$(dirname "${BASH_SOURCE[0]}")/../app/support/check.sh"
command -v prlimit >/dev/null || skip "there is no prlimit"

make_file sample 100000
served=0
refused=0
for limit in $(seq 4 24); do
    timeout 20 prlimit --nofile="$limit:$limit" "$LEAT_CAT" --memory 20M sample >out 2>err
    code=$?
    if [[ $code -eq 0 ]]; then
        same sample "$limit descriptors"
        served=$((served + 1))
    else
        [[ $code -eq 5 ]] || wrong "$limit descriptors: exit code $code, not 5"
        says 'Too many open files; ulimit -n'
        refused=$((refused + 1))
    fi
done
[[ $served -gt 0 ]] || wrong "not served with 24 descriptors"
[[ $refused -gt 0 ]] || wrong "served with 4 descriptors: this test tests nothing"

# One after the other: files that have been written are closed.
for number in $(seq 60); do ln sample "copy-$number"; done
under=(prlimit --nofile=24:24)
cat_gives 0 --memory 20M copy-*
[[ $(wc -c <out) -eq 6000000 ]] || wrong "60 files with 24 descriptors"
finish
