#!/usr/bin/env bash
# leat-cat gives exactly the bytes of its files, whatever their size, the budget and the backend.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"

chunk=65536
small=(--chunk-size 64K --memory 256K)
sizes=(0 1 4095 4096 4097 $((chunk - 1)) $chunk $((chunk + 1)) $((7 * chunk + 4321)))
for size in "${sizes[@]}"; do make_file "file-$size" "$size"; done

for backend in auto thread; do
    for size in "${sizes[@]}"; do
        cat_gives 0 "${small[@]}" --backend $backend "file-$size"
        same "file-$size" "$backend"
        says_nothing
    done
    cat_gives 0 "${small[@]}" --backend $backend "${sizes[@]/#/file-}"
    cat "${sizes[@]/#/file-}" >all
    same all "several files, $backend"
done

# Many times the budget, on one shard and on two.
make_file big $((5 * 1024 * 1024 + 12345))
for shards in "--shards 1" "--shards 2 --no-pin --memory 512K"; do
    # shellcheck disable=SC2086
    cat_gives 0 "${small[@]}" $shards big
    same big "$shards"
    says_nothing
done
cat_gives 0 --chunk-size 1M --memory 3M --no-huge-pages --no-register --spin 0 big
same big "no huge pages, nothing registered, no spinning"
cat_gives 0 big
same big "all defaults"

# range OFFSET LENGTH: as tail and head cut it.
range() {
    cat_gives 0 "${small[@]}" --offset "$1" --length "$2" big
    tail --bytes=+$(($1 + 1)) big | head --bytes="$2" >wanted
    same wanted "offset $1 length $2"
}
range 0 1
range 1 4096
range 4095 $((chunk * 3))
range $chunk $chunk
range $((chunk * 5 - 1)) 2
range $((5 * 1024 * 1024)) 12345
range $((5 * 1024 * 1024)) 99999999 # cut at the end
range $((5 * 1024 * 1024 + 12345)) 10
cat_gives 0 "${small[@]}" --offset 1M big
tail --bytes=+$((1024 * 1024 + 1)) big >wanted
same wanted "an offset alone"
cat_gives 0 "${small[@]}" --length 18446744073709551615 --offset 2 big
tail --bytes=+3 big >wanted
same wanted "offset + length overflows"
finish
