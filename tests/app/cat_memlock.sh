#!/usr/bin/env bash
# An ordinary user's limit of locked memory forbids registered buffers: the same bytes by plain ones, counted.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"
command -v capsh >/dev/null || skip "there is no capsh"
command -v prlimit >/dev/null || skip "there is no prlimit"

make_file sample $((25 * 1024 * 1024 + 333))
under=(prlimit --memlock=8388608:8388608)
if [[ $EUID -eq 0 ]]; then
    under=(capsh --drop=cap_ipc_lock -- -c 'ulimit -l 8192 && exec "$0" "$@"')
    "${under[@]}" true 2>/dev/null || skip "capsh may not drop the capability here"
fi
for backend in auto thread; do
    cat_gives 0 --memory 64M --backend $backend --stats=json sample
    same sample "memlock of 8 MiB, $backend"
    lines_said 1
    says '"registered_bytes":0'
done
cat_gives 0 --memory 64M --shards 2 --no-pin sample
same sample "memlock of 8 MiB, two shards"
finish
