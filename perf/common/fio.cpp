// Runs fio and reads its JSON.
#include "common/fio.hpp"

#include "common/child.hpp"
#include "common/figure.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace leat::perf {

namespace {

// fio splits names at colons.
std::string fio_escaped(const std::string& path) {
    std::string result;
    for (const char one : path) {
        if (one == ':' || one == '\\') result += '\\';
        result += one;
    }
    return result;
}

std::vector<std::string> arguments(const target_file& target, const fio_job& job) {
    std::vector<std::string> all{
        "fio",
        "--readonly",
        "--name=leat-bench",
        "--filename=" + fio_escaped(target.path),
        fmt::format("--size={}", target.size),
        fmt::format("--rw={}", job.random ? "randread" : "read"),
        fmt::format("--bs={}", job.block),
        fmt::format("--iodepth={}", job.depth),
        "--ioengine=io_uring",
        "--direct=1",
        fmt::format("--fixedbufs={}", job.fixed ? 1 : 0),
        "--time_based",
        fmt::format("--runtime={}ms", static_cast<int>(job.seconds * 1000)),
        "--thread",
        "--output-format=json",
    };
    if (job.random) all.emplace_back("--norandommap");
    if (job.cpu) all.push_back(fmt::format("--cpus_allowed={}", *job.cpu));
    return all;
}

}  // namespace

fio_result parse_fio(const std::string& json) {
    // Warnings may come before it.
    const std::size_t begin = json.find('{');
    const boost::json::value all = boost::json::parse(json.substr(std::min(begin, json.size())));
    const boost::json::object& read =
        all.as_object().at("jobs").as_array().at(0).as_object().at("read").as_object();
    const auto number = [](const boost::json::value& value) { return value.to_number<double>(); };
    fio_result result;
    result.gbps = number(read.at("bw_bytes")) / 1e9;
    result.iops = number(read.at("iops"));
    const boost::json::object& latency = read.at("clat_ns").as_object();
    const boost::json::object& percentiles = latency.at("percentile").as_object();
    result.p50_us = to_us(number(percentiles.at("50.000000")));
    result.p99_us = to_us(number(percentiles.at("99.000000")));
    return result;
}

std::optional<fio_result> run_fio(const target_file& target, const fio_job& job, std::string& why) {
    const child_output output = run_child(arguments(target, job));
    if (output.error == ENOENT) {
        why = "fio is not installed: what it would have shown is missing";
        return std::nullopt;
    }
    if (!output.good()) {
        why = "fio failed: what it would have shown is missing";
        return std::nullopt;
    }
    try {
        return parse_fio(output.text);
    } catch (const std::exception& failure) {
        why = fmt::format("fio printed what cannot be read: {}", failure.what());
        return std::nullopt;
    }
}

}  // namespace leat::perf
