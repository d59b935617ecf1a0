#!/usr/bin/env bash
# Where io_uring is refused threads read the files, and one line says so; demanded, it is an error that names causes.
. "$(dirname "${BASH_SOURCE[0]}")/../app/support/check.sh"
need_strace

make_file sample $((3 * 1024 * 1024 + 17))
small=(--chunk-size 256K --memory 2M)

for error in EPERM ENOSYS; do
    under=(strace -f -o trace -e trace=io_uring_setup -e "inject=io_uring_setup:error=$error")
    for shards in 1 2; do
        cat_gives 0 "${small[@]}" --shards $shards --no-pin sample
        same sample "io_uring_setup gives $error, $shards shards"
        lines_said 1
        says '^leat-cat: io_uring is not available, so threads read'
    done
    cat_gives 7 "${small[@]}" --backend uring sample
    says 'seccomp'
    says 'kernel\.io_uring_disabled'
    lines_said 1
    [[ ! -s out ]] || wrong "bytes without a backend"
done

# An older kernel: the next set of flags, and nothing to say.
under=(strace -f -o trace -e trace=io_uring_setup -e inject=io_uring_setup:error=EINVAL:when=1)
if ! "$LEAT_CAT" --backend uring "${small[@]}" sample >/dev/null 2>&1; then
    [[ $failures -eq 0 ]] && skip "io_uring is refused here, so that nothing is left to inject"
    finish
fi
cat_gives 0 "${small[@]}" --stats=json sample
same sample "without the first set of flags"
says '"name":"uring","mode":"COOP_TASKRUN"'

finish
