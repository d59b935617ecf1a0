#!/usr/bin/env bash
# Calls of the ring that are interrupted or refused for now are made again, and nothing is lost.
. "$(dirname "${BASH_SOURCE[0]}")/../app/support/check.sh"
need_strace

make_file sample $((3 * 1024 * 1024 + 17))
small=(--chunk-size 256K --memory 2M)
"$LEAT_CAT" --backend uring "${small[@]}" sample >/dev/null 2>&1 || skip "io_uring is refused here"

for error in EINTR EAGAIN EBUSY; do
    for when in 3+5 1+2; do
        under=(strace -f -o trace -e trace=io_uring_enter -e "inject=io_uring_enter:error=$error:when=$when")
        cat_gives 0 --backend uring "${small[@]}" sample
        same sample "io_uring_enter gives $error"
        says_nothing
        grep --quiet "$error.*INJECTED" trace || wrong "no $error was injected"
    done
done
finish
