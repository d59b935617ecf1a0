#!/usr/bin/env bash
# leat-serve beside nginx and beside a ring that parses nothing, over loopback: requests, bytes and CPU, as ratios.
#
# usage: perf/compare/http.sh [BUILD_FOLDER] [WORKLOAD...]      (build and all workloads, by default)
#
# Workloads: ranges (4 KiB at random, 32 connections), large (10 MiB), small (files of 64 bytes), many (1,000
# connections), tls (10 MiB), latency (p99 of ranges, alone and while cold ones keep the disk busy).
#
# All serve files that memory holds, each with one thread on the first CPU; wrk asks from the second. nginx has one
# worker, sendfile, open_file_cache and no log; leat-serve takes its memory at the start. Before that, a pass of its own
# compares the bytes of all answers with the file's, another one reads all of it, and a round is not counted. ROUNDS (5)
# and SECONDS_A_ROUND (3) may be set.
# Needs nginx, wrk, openssl and python3; listens on 127.0.0.1 only.
set -euo pipefail

fail() {
    echo "http.sh: $*" >&2
    exit 1
}

readonly build=${1:-build}
for program in apps/leat-serve perf/bare-ring-server; do
    [[ -x $build/$program ]] || fail "$build/$program is missing: ./dev build makes it"
done
export PATH=$PATH:/usr/sbin
for tool in nginx wrk python3 openssl; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
done
(($(nproc) >= 2)) || fail "two CPUs are needed, one to serve and one to ask"
exec python3 "$(dirname "${BASH_SOURCE[0]}")/http/compare.py" "$build" "${@:2}"
