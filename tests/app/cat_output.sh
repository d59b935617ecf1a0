#!/usr/bin/env bash
# What happens to standard output: full, closed, gone, slow; and signals, which end leat-cat as signals do.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"

make_file big $((8 * 1024 * 1024 + 99))
small=(--chunk-size 64K --memory 256K)

if [[ -w /dev/full ]]; then
    "$LEAT_CAT" "${small[@]}" big >/dev/full 2>err
    [[ $? -eq 1 ]] || wrong "a full device: exit code $?"
    says '^leat-cat: standard output: No space left on device$'
fi
"$LEAT_CAT" big >&- 2>err
[[ $? -eq 1 ]] || wrong "a closed output: exit code $?"
says 'standard output is closed'

# The reader goes away: the signal SIGPIPE, or the error where that is ignored.
env --default-signal=PIPE timeout 20 "$LEAT_CAT" "${small[@]}" big 2>err | head --bytes=1 >out
[[ ${PIPESTATUS[0]} -eq 141 ]] || wrong "a closed pipe: exit code ${PIPESTATUS[0]}, not that of SIGPIPE"
says_nothing
env --ignore-signal=PIPE timeout 20 "$LEAT_CAT" "${small[@]}" big 2>err | head --bytes=1 >out
[[ ${PIPESTATUS[0]} -eq 1 ]] || wrong "a closed pipe, SIGPIPE ignored: exit code ${PIPESTATUS[0]}"
says 'standard output: Broken pipe'

# Somebody reads nothing, then a signal comes; leat-cat is in the middle of a write.
mkfifo pipe
for signal in INT TERM HUP; do
    exec 3<>pipe
    env --default-signal=$signal "$LEAT_CAT" "${small[@]}" --stats=json big >pipe 2>err &
    cat_id=$!
    head --bytes=200000 <&3 >out # so that the first write has ended
    kill -$signal $cat_id
    { wait $cat_id; } 2>/dev/null # the shell would tell of the signal
    code=$?
    [[ $code -eq $((128 + $(kill -l $signal))) ]] || wrong "SIG$signal: exit code $code"
    python3 -c 'import json; assert 0 < json.load(open("err"))["bytes"] < 8 << 20' ||
        wrong "SIG$signal: no statistics of a part"
    exec 3>&-
done

# A slow reader gets everything; the file is replaced meanwhile, and stays what it was.
cp big kept
exec 3<>pipe
"$LEAT_CAT" "${small[@]}" big >pipe 2>err &
cat_id=$!
head --bytes=1 <&3 >first
make_file other 5000
mv other big
cat first - <pipe >out 3>&- &
reader_id=$!
exec 3>&-
wait $cat_id || wrong "a replaced file: exit code $?"
wait $reader_id
same kept "a file that was replaced while it was read"

# Written in place, it is an error: the output would be of two versions.
cp kept big
exec 3<>pipe
"$LEAT_CAT" "${small[@]}" big >pipe 2>err &
cat_id=$!
head --bytes=1 <&3 >out
printf 'more' >>big
cat <pipe >/dev/null 3>&- &
reader_id=$!
exec 3>&-
wait $cat_id
code=$?
[[ $code -eq 5 ]] || wrong "a file that changed: exit code $code, not 5"
says 'big: at offset [0-9]+: the file has changed'
wait $reader_id
finish
