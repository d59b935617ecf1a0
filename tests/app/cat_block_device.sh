#!/usr/bin/env bash
# A block device is read to its end.
. "$(dirname "${BASH_SOURCE[0]}")/support/check.sh"
[[ $EUID -eq 0 ]] || skip "only root makes loop devices"
command -v losetup >/dev/null || skip "there is no losetup"

size=$((3 * 1024 * 1024 + 512))
make_file image $size
cp image wanted
device=$(losetup --find --show image 2>/dev/null) || skip "no loop device can be had here"
cleanups+=("losetup --detach $device")

for backend in auto thread; do
    cat_gives 0 --chunk-size 256K --memory 1M --backend $backend "$device"
    same wanted "$backend"
    says_nothing
done
cat_gives 0 --offset 1048000 --length 5000 "$device"
tail --bytes=+1048001 wanted | head --bytes=5000 >part
same part "a part of the device"
cat_gives 6 --offset 4M "$device"
says "$device: offset 4194304 lies beyond its end"
finish
