#!/usr/bin/env bash
# The HTTP example beside nginx: requests a second and CPU a request, in alternating rounds, as ratios.
#
# usage: perf/compare/http.sh [BUILD_FOLDER]      (build, by default)
#
# Both serve byte ranges of one file of 1 GiB that memory holds, each with one thread on the first CPU; wrk asks from
# the second, over 32 connections. nginx has one worker, sendfile, open_file_cache and no log. Before that, a pass of
# its own compares the bytes that both answer with the file's. Needs nginx, wrk and python3; listens on 127.0.0.1 only.
set -euo pipefail

readonly build=${1:-build} rounds=${ROUNDS:-5} seconds=${SECONDS_A_ROUND:-3}
readonly example=$build/apps/example-http-server
readonly file_bytes=$((1 << 30)) connections=32

fail() {
    echo "http.sh: $*" >&2
    exit 1
}
[[ -x $example ]] || fail "$example is missing: ./dev build makes it"
for tool in nginx wrk python3 taskset; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || fail "$tool is not installed"
done
(($(nproc) >= 2)) || fail "two CPUs are needed, one to serve and one to ask"

folder=$(mktemp --directory "$build/http.XXXXXX")
folder=$(realpath "$folder")
servers=()
cleanup() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_servers() {
    python3 - "$folder/file" "$file_bytes" <<'EOF'
import random
import sys

source = random.Random(1)
with open(sys.argv[1], "wb") as out:
    for _ in range(int(sys.argv[2]) >> 20):
        out.write(source.randbytes(1 << 20))
EOF
    leat_port=$(free_port)
    taskset --cpu-list 0 "$example" "$folder/file" "$leat_port" &
    servers+=($!)
    leat=$!
    nginx_port=$(free_port)
    cat >"$folder/nginx.conf" <<EOF
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=100;
    client_body_temp_path $folder; proxy_temp_path $folder; fastcgi_temp_path $folder;
    uwsgi_temp_path $folder; scgi_temp_path $folder;
    server { listen 127.0.0.1:$nginx_port; root $folder; }
}
EOF
    PATH=$PATH:/usr/sbin taskset --cpu-list 0 nginx -p "$folder" -c "$folder/nginx.conf" &
    servers+=($!)
    nginx=$!
}

# Waits until both listen, and compares what they answer with the file.
check_bytes() {
    python3 - "$folder/file" "$leat_port" "$nginx_port" <<'EOF'
import http.client
import random
import sys
import time

path, *ports = sys.argv[1:]
with open(path, "rb") as file:
    for port in ports:
        for attempt in range(100):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
                connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        size = file.seek(0, 2)
        for length in [4096] * 2000 + [10 << 20] * 50:
            first = random.randrange(0, size - length)
            connection.request("GET", "/file", headers={"Range": f"bytes={first}-{first + length - 1}"})
            body = connection.getresponse().read()
            file.seek(first)
            if body != file.read(length):
                sys.exit(f"wrong bytes at {first} from port {port}")
        # All of it once, so that memory holds it.
        connection.request("GET", "/file")
        answer = connection.getresponse()
        while answer.read(1 << 20):
            pass
EOF
}

# cpu_ticks PID: what it has used, in clock ticks.
cpu_ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

# measure NAME PID PORT LENGTH: one round; a line "NAME REQUESTS_PER_SECOND CPU_US_PER_REQUEST".
measure() {
    local before after
    cat >"$folder/ranges.lua" <<EOF
local length, size = $4, $file_bytes
function setup(thread) thread:set("seed", $RANDOM) end
function init() math.randomseed(seed) end
function request()
    local first = math.random(0, size - length)
    return wrk.format("GET", "/file", { Range = string.format("bytes=%d-%d", first, first + length - 1) })
end
function done(summary)
    if summary.errors.status + summary.errors.read + summary.errors.timeout > 0 then io.write("errors\n") end
    io.write(string.format("%d %d\n", summary.requests, summary.duration))
end
EOF
    before=$(cpu_ticks "$2")
    taskset --cpu-list 1 wrk --threads 1 --connections "$connections" --duration "${seconds}s" \
        --script "$folder/ranges.lua" "http://127.0.0.1:$3/file" >"$folder/wrk"
    after=$(cpu_ticks "$2")
    if grep --quiet errors "$folder/wrk"; then fail "$1 answered with errors"; fi
    tail --lines 1 "$folder/wrk" | awk -v name="$1" -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" \
        '{ printf "%s %.0f %.3f\n", name, $1 / ($2 / 1e6), ticks / hertz * 1e6 / $1 }'
}

# compare LENGTH TITLE
compare() {
    : >"$folder/rounds"
    for ((round = 0; round < rounds; ++round)); do
        measure leat "$leat" "$leat_port" "$1" >>"$folder/rounds"
        measure nginx "$nginx" "$nginx_port" "$1" >>"$folder/rounds"
    done
    python3 - "$folder/rounds" "$1" "$2" <<'EOF'
import statistics
import sys

path, length, title = sys.argv[1:]
rows = [line.split() for line in open(path)]
median = {}
print(title)
for name in ("leat", "nginx"):
    rate = [float(row[1]) for row in rows if row[0] == name]
    cpu = [float(row[2]) for row in rows if row[0] == name]
    median[name] = statistics.median(rate), statistics.median(cpu)
    spread = (max(rate) - min(rate)) / median[name][0]
    print(f"  {name:6} {median[name][0]:9.0f} requests/s  {median[name][0] * int(length) / 1e9:6.2f} GB/s"
          f"  {median[name][1]:9.2f} us of CPU a request  spread {spread:.0%}")
rate, cpu = (a / b for a, b in zip(median["leat"], median["nginx"]))
print(f"  leat/nginx: rate {rate:.2f}, CPU a request {cpu:.2f}")
EOF
}

start_servers
check_bytes
compare 4096 "random ranges of 4 KiB"
compare $((10 << 20)) "random ranges of 10 MiB"
