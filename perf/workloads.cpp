// The list of what leat-bench can measure.
#include "common/workload.hpp"
#include "compare/asio.hpp"
#include "compare/designs.hpp"
#include "load/crowd.hpp"
#include "load/device.hpp"
#include "load/fanin.hpp"
#include "load/loaded.hpp"
#include "load/memory.hpp"
#include "load/miss.hpp"
#include "load/mixed.hpp"
#include "load/scan.hpp"
#include "load/soak.hpp"
#include "micro/asio_guest.hpp"
#include "micro/hit.hpp"
#include "micro/messages.hpp"
#include "micro/remote.hpp"
#include "micro/send.hpp"
#include "patterns/patterns.hpp"

#include <array>

namespace leat::perf {

namespace {
constexpr std::array all{
    workload{"hit", "a hit on one shard, and what pread and mmap take for the same bytes",
             "hit.{hot,uniform,sequential,zipf}.{ns,read_all_ns} hit.recorded.{ns,lost_ratio} "
             "hit.{fragment,lru}.ns floor.{hot,uniform}.ns "
             "pread.uniform.ns mmap.uniform.ns hit.copy.ns hit.allocations",
             &run_hit},
    workload{"remote", "hits on chunks that another shard owns: leases, hops, and private chunks",
             "remote.{hot,uniform,hop}.ns {remote,private}.hot.ops_per_s private.hot.ns",
             &run_remote},
    workload{"miss", "cold 4 KiB: one at a time, and 32 at once; and a raw ring's",
             "miss.{first_byte,chunk}.{p50,p99}_us {raw4k,raw_chunk}.{p50,p99}_us "
             "{miss,raw4k}.depth32.iops miss.read_amplification",
             &run_miss},
    workload{"loaded", "cold 4 KiB behind fills; and a raw ring with as many bytes in flight",
             "{loaded,loaded_raw}.{512k,1m,2m}.first_byte.{p50,p99}_us "
             "{loaded,loaded_raw}.{512k,1m,2m}.gbps",
             &run_loaded},
    workload{"scan", "a cold file from end to end; and a raw ring's and fio's",
             "scan.gbps scan.4k_gbps raw.gbps fio.gbps {scan,raw}.cpu_us_per_chunk", &run_scan},
    workload{"crowd", "32 cold sequential readers of 64 KiB; and the device's rate",
             "crowd.gbps crowd.read_mib crowd.read_amplification crowd.raw_gbps", &run_crowd},
    workload{"fanin", "10,000 coroutines that wait for one absent chunk",
             "fanin.fills fanin.bytes_read_ratio fanin.ns_per_waiter", &run_fanin},
    workload{"messages", "round trips between two shards that poll, and to one that is parked",
             "messages.{1,16,64}.ns messages.parked_us", &run_messages},
    workload{"asio-guest", "hits for Asio's coroutines and io_contexts, beside plain posts",
             "guest.{hit,task_awaits_post}.ns asio.post.ns foreign.hit.{1,64}.ns "
             "asio.foreign_post.{1,64}.ns",
             &run_asio_guest},
    workload{"send", "slices over loopback, copied by the kernel and as zero-copy sends",
             "send.{copy,zc}.{4k,64k,1m}.{gbps,cpu_us}", &run_send},
    workload{"mixed", "hits beside misses on one shard, open loop, from the intended start",
             "mixed.hit.{p50,p99,p999}_us mixed.control.{p99,p999}_us mixed.rate.ops_per_s",
             &run_mixed},
    workload{"memory", "what a full cache of 4 GiB needs besides its buffers",
             "memory.overhead_ratio memory.start_ms memory.bytes_per_chunk", &run_memory},
    workload{"designs", "other ways to serve pages of chunks in memory, from several threads",
             "designs.NAME.{hot,uniform}.{ns,cpu_ns}", &run_designs},
    workload{"device", "a raw ring over block sizes, depths and buffers, and fio at three points",
             "device.SIZE.dDEPTH.{gbps,iops} device.BUFFERS.cpu_us_per_chunk "
             "{device,fio}.{4k_d1,4k_d32,16k_d8}.iops",
             &run_device},
    workload{"asio", "cold 4 KiB, 32 at once: leat's files and Boost.Asio's, without a cache",
             "{asio.one,asio.many,leat.raw}.{iops,cpu_us}", &run_asio},
    workload{"patterns", "what is read for which requests; more by the command of that name",
             "patterns.NAME.{hits,read_per_served,mean_read_kib,device_s_per_gib} "
             "patterns.NAME.{hits_beyond_pages,device_over_chunks}",
             &run_patterns_quickly},
    workload{"soak", "many tasks under faults for --minutes, and what they leave behind",
             "soak.{requests,errors,faults,left} soak.rss_mib_{start,end}", &run_soak, false},
};
}  // namespace

std::span<const workload> workloads() noexcept {
    return all;
}

const workload* find_workload(std::string_view name) noexcept {
    for (const workload& one : all) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

}  // namespace leat::perf
