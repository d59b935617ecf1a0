#!/usr/bin/env bash
# A file that cannot be read to its end is told of, with the offset, and the next file is written.
. "$(dirname "${BASH_SOURCE[0]}")/../app/support/check.sh"
need_strace

make_file good 300000
make_file bad 300000
small=(--chunk-size 64K --memory 256K --backend thread)

# strace reaches reads of threads, not those of a ring.
under=(strace -f -o trace -P "$work/bad" -e trace=pread64 -e inject=pread64:error=EIO)
cat_gives 5 "${small[@]}" good bad good
says '^leat-cat: bad: at offset 0: Input/output error$'
cat good good >wanted
same wanted "around a file that cannot be read"
grep --quiet 'EIO' trace || wrong "nothing was injected: which call reads?"

# Its later chunks only: what came before is written.
under=(strace -f -o trace -P "$work/bad" -e trace=pread64 -e inject=pread64:error=EIO:when=2+)
cat_gives 5 "${small[@]}" --threads 1 bad
says 'bad: at offset [1-9][0-9]*: Input/output error'
if [[ $(wc -c <out) -gt 0 ]]; then
    head --bytes="$(wc -c <out)" bad >wanted
    same wanted "before the failure"
else
    wrong "nothing was written before the failure"
fi
finish
