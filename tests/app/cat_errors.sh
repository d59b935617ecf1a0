#!/usr/bin/env bash
# Each kind of failure has its exit code and a sentence, and leaves the other files alone.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"

make_file good 100000
mkdir folder
mkfifo pipe

# usage PATTERN ARGUMENT...: refused with exit code 2 and one line that says this.
usage() {
    local pattern=$1
    shift
    cat_gives 2 "$@"
    says "$pattern"
    lines_said 1
    [[ ! -s out ]] || wrong "leat-cat $*: wrote something all the same"
}
usage 'FILE is required'
usage '--bogus' --bogus good
usage '"12X" is not a size' --memory 12X good
usage '"-1" is not a size' --offset -1 good
usage '"99999999999999999999" is not a size' --length 99999999999999999999 good
usage 'budget of 1 MiB is too small.*20 MiB in all' --memory 1M good
usage 'budget of 256 MiB is too small' --chunk-size 1G good
usage 'multiple of 64 KiB' --chunk-size 100000 good
usage '--shards' --shards 0 good
usage '--shards' --shards many good
usage '1000 shards need as many CPUs, but' --shards 1000 --chunk-size 64K good
usage 'is not a CPU list' --cpus 0-x good
usage 'CPU 60000 is not among those' --cpus 60000 good
usage '"fast" is not a backend; expected auto, uring or thread' --backend fast good
usage '--spin: "5" is not a time' --spin 5 good
usage 'spin time' --spin 2min good
usage '--stop-timeout' --stop-timeout -1s good
usage '--stats' --stats=xml good
usage '--no-progress takes no value' --no-progress=x good
usage '--no-pin takes no value' --no-pin=0 good
usage 'standard input \(-\) is not supported' good -

cat_gives 3 missing
says '^leat-cat: missing: No such file or directory$'
cat_gives 3 good/below
cat_gives 3 ''
cat_gives 5 folder
says 'folder: Is a directory'
cat_gives 5 pipe # does not wait for a writer
says 'pipe: neither a regular file nor a block device'
cat_gives 5 /dev/null
says 'neither a regular file nor a block device'
cat_gives 6 --offset 100001 good
says 'good: offset 100001 lies beyond its end: it has 100000 bytes'
cat_gives 6 --offset 18446744073709551615 --length 18446744073709551615 good
cat_gives 0 --offset 100000 good
says_nothing

touch secret
chmod 0 secret
under=()
if [[ $EUID -eq 0 ]]; then under=(setpriv --reuid 65534 --regid 65534 --clear-groups); fi
chmod 755 .
if "${under[@]}" "$LEAT_CAT" --version >/dev/null 2>&1 && "${under[@]}" test -x .; then
    cat_gives 4 --memory 20M secret
    says 'secret: Permission denied'
fi
under=()

# The others are written; one code where all fail alike, 1 where they do not.
cat_gives 3 good missing good lost
says 'missing: No such file'
says 'lost: No such file'
cat good good >wanted
same wanted
cat_gives 1 folder good missing
same good
lines_said 2
cat_gives 6 --offset 1 --length 5 good secret # an empty file has no byte 1
[[ $(wc -c <out) -eq 5 ]] || wrong "a file after one that failed"
cat_gives 3 $'two\nlines'
lines_said 1
finish
