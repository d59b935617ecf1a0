#!/usr/bin/env bash
# leat-cat explains itself: --help, --version, --stats, --progress.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"

cat_gives 0 --help
says_nothing
for word in --offset --length --shards --cpus --memory --chunk-size --backend --stats --progress --record --spin \
    --stop-timeout 'Examples:' 'KiB' 'Exit codes:' '  7  '; do
    grep --quiet --fixed-strings -e "$word" out || wrong "--help does not tell of $word"
done
[[ $(wc --max-line-length <out) -le 100 ]] || wrong "--help has lines of more than 100 columns"
cat_gives 0 --version
grep --quiet --extended-regexp '^leat-cat [0-9]+\.[0-9]+\.[0-9]+$' out || wrong "--version: $(cat out)"

make_file sample 1234567
cat_gives 0 --chunk-size 64K --memory 1M --stats sample
same sample "with --stats"
says '^written .*\(1234567 bytes\)'
says '^backend '
says '^buffers '

cat_gives 0 --chunk-size 64K --memory 1M --stats=json sample sample
lines_said 1
python3 - err <<'EOF' || wrong "--stats=json: wrong numbers"
import json, sys
said = json.load(open(sys.argv[1]))
chunks = -(-1234567 // 65536)
assert said["bytes"] == 2 * 1234567 and said["seconds"] > 0 and said["bytes_per_second"] > 0, said
assert said["backend"]["name"] in ("uring", "thread") and said["backend"]["mode"], said
assert said["cache"]["fills"] >= chunks and said["cache"]["bytes_read"] >= 1234567, said
assert 0 < said["buffers"]["mapped_bytes"] <= 1 << 20, said
assert said["memory"] == 1 << 20 and said["chunk_size"] == 65536 and said["shards"] == 1, said
for held in ("pins", "waiting", "filling_chunks"):
    assert said["cache"][held] == 0, (held, said)
assert said["backend"]["submitted"] == said["backend"]["completed"], said
EOF

cat_gives 0 --progress --chunk-size 64K --memory 1M sample
same sample "with --progress"
tr '\r' '\n' <err >lines
grep --quiet --extended-regexp '^ *1.18 MiB of 1.18 MiB  \[#+\]  100% .*/s  ETA 0:00 *$' lines ||
    wrong "--progress does not end with the whole"
cat_gives 0 --no-progress sample
says_nothing
cat_gives 3 --progress sample missing
tr '\r' '\n' <err | grep --quiet '^leat-cat: missing: No such file' || wrong "an error beside the progress bar"
finish
