// What the examples of reference comments refer to without declaring it. Nothing of it is defined:
// they are compiled, not linked.
#pragma once

#include <leat/leat.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// An example shows a call, and not always what becomes of its result.
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wshadow"

namespace example {

using namespace std::chrono_literals;

extern leat::engine& engine;
extern leat::engine_options options;
extern leat::chunk_manager& manager;
extern leat::offload_pool& pool;
extern leat::scope& jobs;
extern leat::file file;
extern leat::slice page;
extern leat::chunk_config config;
extern std::vector<leat::chunk_config> configs;
extern std::string name;
extern std::vector<std::string> names;
extern std::array<std::byte, 4096> header;

template <class T>
void use(const T& value);
template <class T>
void print(const T& value);

leat::task<> job();
void serve(leat::chunk_manager& manager);
void buy_memory();
leat::task<> fetch(leat::chunk_manager& manager, std::string name);
leat::task<std::string> page_of(leat::chunk_manager& manager, leat::file file);
leat::task<> half(leat::chunk_manager& manager, unsigned which);
std::uint64_t hash_of(std::span<const std::byte> bytes);

}  // namespace example
