// fault-probe: answers requests from standard input through a cache, so that scripts can make
// machines fail between them.
//
// A request is a line "TAG VERB ARGUMENT...", its answer one "TAG ok ..." or "TAG error CATEGORY
// VALUE SENTENCE", in the order in which they end; events are lines "event SENTENCE". TAG is a
// number of the caller's; requests run on shard TAG modulo the number of shards. Paths are
// hexadecimal, and bytes are answered as their count and CRC-32.
#include "common/engine_arguments.hpp"
#include "common/engine_statistics.hpp"
#include "common/program.hpp"
#include "common/values.hpp"

#include <leat/leat.hpp>

#include <boost/crc.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

namespace leat::test {

namespace {

struct settings {
    engine_options engine;
    std::string root;
    time_span pin_deadline = manager_options{}.pin_deadline;
};

void say(std::string line) {
    // A name in a sentence may hold anything.
    std::replace_if(
        line.begin(), line.end(), [](char letter) { return letter >= 0 && letter < ' '; }, '?');
    static std::mutex one_at_a_time;
    const std::lock_guard lock{one_at_a_time};
    std::fwrite((line + '\n').data(), 1, line.size() + 1, stdout);
    std::fflush(stdout);
}

std::string summary(std::span<const std::byte> bytes) {
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return std::to_string(bytes.size()) + ' ' + std::to_string(crc.checksum());
}

std::string unhex(const std::string& digits) {
    std::string text;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        text += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
    }
    return text;
}

std::string failure_line(const boost::system::error_code& code, const char* sentence) {
    return std::string{"error "} + code.category().name() + ' ' + std::to_string(code.value()) +
           ' ' + sentence;
}

/// One engine, and what its requests have opened and keep. Handlers run on the main thread, the
/// tasks they give on shards.
class session {
public:
    explicit session(const settings& given)
        : cores_(given.engine),
          manager_(cores_,
                   given.root.empty() ? file_source{} : file_source{given.root},
                   {.pin_deadline = given.pin_deadline}) {}

    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() {  // before what the tasks use
        cores_.stop();
        cores_.join();
    }

    void handle(const std::string& line) {
        std::istringstream words{line};
        unsigned tag = 0;
        std::string verb;
        words >> tag >> verb;
        if (verb == "cancel") {
            unsigned other = 0;
            words >> other;
            running_[other].source.request_stop();
            say(std::to_string(tag) + " ok");
        } else if (verb == "drop") {
            drop(words);
            say(std::to_string(tag) + " ok");
        } else if (verb == "stop") {
            stop(tag);
        } else if (verb == "exit") {
            std::exit(0);
        } else {
            task<std::string> job = job_of(verb, words);
            task<> answering = answer(tag, std::move(job));
            answering.set_stop(running_[tag].token);
            cores_.spawn_on(tag % cores_.shards(), std::move(answering));
        }
    }

private:
    struct cancellation {
        std::stop_source source;
        std::stop_token token = source.get_token();
    };

    task<std::string> job_of(const std::string& verb, std::istream& words) {
        std::string name;
        words >> name;
        if (verb == "open") {
            std::string path;
            words >> path;
            return open(name, unhex(path));
        }
        if (verb == "statistics") return statistics();
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
        words >> offset >> size;
        if (verb == "get") {
            std::string keep_as;
            words >> keep_as;
            return get(file_called(name), offset, static_cast<std::uint32_t>(size), keep_as);
        }
        if (verb == "hit") {
            return hit(file_called(name), offset, static_cast<std::uint32_t>(size));
        }
        if (verb == "read") return read(file_called(name), offset, size);
        throw std::runtime_error("no verb " + verb);
    }

    task<> answer(unsigned tag, task<std::string> job) {
        std::string line;
        task<std::string> running = std::move(job);
        try {
            const std::string outcome = co_await std::move(running);
            line = outcome.empty() ? "ok" : "ok " + outcome;
        } catch (const system_error& failure) {
            line = failure_line(failure.code(), failure.what());
        } catch (const boost::system::system_error& failure) {
            line = failure_line(failure.code(), failure.what());
        }
        say(std::to_string(tag) + ' ' + line);
    }

    task<std::string> open(std::string name, std::string path) {
        file opened = co_await manager_.open(path);
        const std::uint64_t size = opened.size();
        const std::lock_guard lock{mutex_};
        files_[name] = std::move(opened);
        co_return std::to_string(size);
    }
    task<std::string> get(file from,
                          std::uint64_t offset,
                          std::uint32_t size,
                          std::string keep_as) {
        const chunk_config wanted{from, offset, size};
        slice got = co_await manager_.get_chunk(wanted);
        std::string outcome = summary(got.bytes());
        if (!keep_as.empty()) {
            const std::lock_guard lock{mutex_};
            kept_[keep_as] = std::move(got);
        }
        co_return outcome;
    }
    /// What is in memory, or "0 0".
    task<std::string> hit(file from, std::uint64_t offset, std::uint32_t size) {
        const slice got = manager_.peek({from, offset, size});
        co_return summary(got.bytes());
    }
    task<std::string> read(file from, std::uint64_t offset, std::size_t size) {
        std::vector<std::byte> memory(size);
        const std::size_t count = co_await manager_.read(from, offset, memory);
        co_return summary(std::span{memory}.first(count));
    }
    task<std::string> statistics() {
        const apps::engine_statistics all = co_await apps::gather(manager_);
        co_return boost::json::serialize(apps::to_json(all));
    }

    file file_called(const std::string& name) {
        const std::lock_guard lock{mutex_};
        return files_[name];
    }
    /// Drops the slices and files of these names; without any, all slices.
    void drop(std::istream& words) {
        const std::lock_guard lock{mutex_};
        std::string name;
        if (!(words >> name)) kept_.clear();
        for (; words; words >> name) {
            kept_.erase(name);
            files_.erase(name);
        }
    }
    void stop(unsigned tag) {
        cores_.stop();
        const stop_report report = cores_.join();
        say(std::to_string(tag) + " ok " + std::to_string(report.code.value()) + ' ' +
            std::to_string(report.held) + ' ' + report.owed);
    }

    engine cores_;
    chunk_manager manager_;
    std::mutex mutex_;
    std::map<std::string, file> files_;
    std::map<std::string, slice> kept_;
    std::map<unsigned, cancellation> running_;
};

settings parse(int argc, char** argv) {
    settings given;
    given.engine.shards = 1;
    given.engine.pin = false;
    CLI::App app{"Answers requests from standard input through a cache."};
    app.add_option("--root", given.root, "The folder that names cannot leave");
    apps::add_time(app, "--pin-deadline", given.pin_deadline, "How long to wait for a buffer");
    apps::add_engine_arguments(app, given.engine);
    app.parse(argc, argv);
    given.engine.on_event = [](const event& happened) { say("event " + happened.text); };
    return given;
}

}  // namespace

}  // namespace leat::test

int main(int argc, char** argv) {
    using namespace leat;
    try {
        {
            test::session one{test::parse(argc, argv)};
            test::say("ready");
            for (std::string line; std::getline(std::cin, line);) one.handle(line);
        }
        // Everything was awaited, dropped and stopped.
        test::say("end " + std::to_string(detail::frame_pool::live()));
    } catch (...) {
        return static_cast<int>(apps::fail("fault-probe", std::current_exception()));
    }
    return 0;
}
