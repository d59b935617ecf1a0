// Each kind of trace, compressed or not, and what is wrong with those that are none.
#include "replay/read_trace.hpp"

#include "pattern.hpp"
#include "record/recording_encoder.hpp"
#include "replay/dense_numbers.hpp"

#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <zstd.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(read_trace_test)

using namespace leat::perf;
using leat::test::temporary_folder;

namespace {

constexpr std::string_view header = "time,object,offset,size,op\n";

std::string written(const temporary_folder& folder, const char* name, std::string_view text) {
    const std::string path = folder.path(name);
    std::ofstream{path, std::ios::binary} << text;
    return path;
}

std::string compressed(std::string_view text) {
    std::string result(::ZSTD_compressBound(text.size()), '\0');
    result.resize(::ZSTD_compress(result.data(), result.size(), text.data(), text.size(), 3));
    return result;
}

/// A recording of two shards, or one without a request.
std::string recorded(bool requests) {
    using namespace leat::detail;
    recording_encoder encoder{2};
    std::vector<unsigned char> out;
    encoder.begin(out, 65536, 0, 0);
    const std::uint64_t number = number_of_place(7);
    encoder.know({number, 100'000, "film"});
    const auto wide = [](log_kind kind, leat::hint given = leat::hint::normal) {
        return log_wide | static_cast<std::uint64_t>(kind) |
               static_cast<std::uint64_t>(given) << log_hint_shift;
    };
    const std::vector<log_slot> first{{0, std::uint64_t{7} << 32 | 4096},
                                      {3, wide(log_kind::repeats)},
                                      {2000, wide(log_kind::time)},
                                      {3, wide(log_kind::lost)}};
    const std::vector<log_slot> second{{8192, wide(log_kind::miss, leat::hint::scan)},
                                       {number, 100},
                                       {8192, wide(log_kind::refused)},
                                       {number, 0},
                                       {8192, wide(log_kind::failed)},
                                       {number, 100},
                                       {1000, wide(log_kind::time)}};
    if (requests) {
        encoder.add(out, 0, first);
        encoder.add(out, 1, second);
    }
    encoder.end(out, encoder.lost());
    return {out.begin(), out.end()};
}

/// What read_trace says of a file with this text, from its name on.
std::string complaint(const char* name, std::string_view text) {
    const temporary_folder folder;
    const std::string path = written(folder, name, text);
    try {
        (void)read_trace(path);
    } catch (const std::exception& failure) {
        const std::string said = failure.what();
        const std::size_t at = said.find(name);
        return at == std::string::npos ? said : said.substr(at);
    }
    return "nothing";
}

}  // namespace

BOOST_AUTO_TEST_CASE(ids_are_objects_of_one_chunk) {
    const temporary_folder folder;
    const trace of = read_trace(written(folder, "a.ids", "18446744073709551615\n7\r\n0\n7"));
    BOOST_TEST(of.name == "a.ids");
    BOOST_TEST(of.of_objects);
    BOOST_TEST(of.file_bytes.size() == 3U);
    BOOST_REQUIRE(of.requests.size() == 4U);
    BOOST_TEST(of.requests[0].file == 0U);
    BOOST_TEST(of.requests[1].file == 1U);
    BOOST_TEST(of.requests[2].file == 2U);
    BOOST_TEST(of.requests[3].file == 1U);
    BOOST_TEST(of.requests[3].size == object_bytes);
    BOOST_TEST(of.file_bytes[2] == object_bytes);
}

BOOST_AUTO_TEST_CASE(requests_of_files_have_offsets_and_sizes) {
    const temporary_folder folder;
    const trace of = read_trace(written(folder, "a.io.csv",
                                        "time,object,offset,size,op,count\n"
                                        "0.5,99,4096,512,R,1\n"
                                        "1,99,0,0,R,1\n"
                                        "2,193206920988234,1,6307425,getChunkData,1\n"
                                        "3,99,0,100,R,1\n"));
    BOOST_TEST(!of.of_objects);
    BOOST_REQUIRE(of.requests.size() == 3U);
    BOOST_TEST(of.requests[0].time == 0.5);
    BOOST_TEST(of.requests[0].offset == 4096U);
    BOOST_TEST(of.requests[0].size == 512U);
    BOOST_TEST(of.requests[1].file == 1U);
    BOOST_TEST(of.requests[2].file == 0U);
    BOOST_REQUIRE(of.file_bytes.size() == 2U);
    BOOST_TEST(of.file_bytes[0] == 4608U);
    BOOST_TEST(of.file_bytes[1] == 6307426U);
}

BOOST_AUTO_TEST_CASE(recordings_are_known_by_how_they_begin) {
    const temporary_folder folder;
    for (const bool packed : {false, true}) {
        const std::string text = recorded(true);
        const trace of = read_trace(written(folder, "a.tape", packed ? compressed(text) : text));
        BOOST_TEST(of.name == "a.tape");
        BOOST_TEST(!of.of_objects);
        // Merged by time: of the two shards, the second was the first to ask.
        BOOST_REQUIRE(of.requests.size() == 5U);
        BOOST_TEST(of.requests[0].offset == 8192U);
        BOOST_TEST(of.requests[0].time == 1e-6);
        BOOST_TEST((of.requests[0].hint == leat::hint::scan));
        BOOST_TEST((of.requests[0].outcome == trace_outcome::miss));
        for (std::size_t i = 1; i < 5; ++i) {
            BOOST_TEST(of.requests[i].offset == 0U);
            BOOST_TEST(of.requests[i].size == 4096U);
            BOOST_TEST(of.requests[i].time == 2e-6);
            BOOST_TEST((of.requests[i].outcome == trace_outcome::hit));
        }
        BOOST_REQUIRE(of.file_bytes.size() == 1U);
        BOOST_TEST(of.file_bytes[0] == 100'000U);
        BOOST_REQUIRE(of.recorded.has_value());
        BOOST_TEST(of.recorded->whole);
        BOOST_TEST(of.recorded->lost == 3U);
        BOOST_TEST(of.recorded->refused == 1U);
        BOOST_TEST(of.recorded->failed == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_recording_that_was_cut_is_read_and_a_damaged_one_is_refused) {
    const temporary_folder folder;
    const std::string text = recorded(true);
    const trace cut = read_trace(written(folder, "a.rec", text.substr(0, text.size() - 1)));
    BOOST_TEST(cut.requests.size() == 5U);
    BOOST_TEST(!cut.recorded->whole);
    std::string damaged = text;
    damaged[50] = static_cast<char>(damaged[50] ^ 4);
    BOOST_TEST(complaint("a.rec", damaged) == "a.rec: byte 32: a block is damaged");
    BOOST_TEST(complaint("a.rec", recorded(false)) == "a.rec: there is no request in it");
}

BOOST_AUTO_TEST_CASE(compression_is_seen_by_content) {
    const temporary_folder folder;
    std::string text;
    for (std::uint64_t i = 0; i < 300'000; ++i) text += std::to_string(i * 7919 % 100'003) + '\n';
    const trace plain = read_trace(written(folder, "a.ids.zst", text));
    // Two frames behind each other are one text.
    const std::size_t half = text.size() / 2;
    const trace packed = read_trace(
        written(folder, "b.ids", compressed(text.substr(0, half)) + compressed(text.substr(half))));
    BOOST_REQUIRE(plain.requests.size() == 300'000U);
    BOOST_REQUIRE(packed.requests.size() == 300'000U);
    bool same = true;
    for (std::size_t i = 0; i < plain.requests.size(); ++i)
        same = same && plain.requests[i].file == packed.requests[i].file;
    BOOST_TEST(same);
    BOOST_TEST(packed.file_bytes.size() == 100'003U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_file_and_line) {
    BOOST_TEST(complaint("a.ids", "1\n2\nx\n") == "a.ids:3: \"x\" is no object");
    BOOST_TEST(complaint("a.ids", "1\n\n") == "a.ids:2: \"\" is no object");
    BOOST_TEST(complaint("a.ids", "18446744073709551616\n") ==
               "a.ids:1: \"18446744073709551616\" is no object");
    BOOST_TEST(complaint("a.io.csv", "1,2,3,4,R\n") ==
               "a.io.csv:1: \"1,2,3,4,R\" is no header: expected time,object,offset,size,op");
    const std::string head{header};
    BOOST_TEST(complaint("a.io.csv", head + "1,2,abc,4,R\n") == "a.io.csv:2: \"abc\" is no offset");
    BOOST_TEST(complaint("a.io.csv", head + "1,2,3,-4,R\n") == "a.io.csv:2: \"-4\" is no size");
    BOOST_TEST(complaint("a.io.csv", head + "x,2,3,4,R\n") == "a.io.csv:2: \"x\" is no time");
    BOOST_TEST(complaint("a.io.csv", head + "1,2,3\n") == "a.io.csv:2: there is no size");
    BOOST_TEST(complaint("a.io.csv", head + "1,2,18446744073709551615,4,R\n") ==
               "a.io.csv:2: offset and size are 2^64 or more together");
    BOOST_TEST(complaint("a.ids", std::string(5000, '1')) ==
               "a.ids:1: a line of more than 4096 bytes");
    BOOST_TEST(complaint("a.ids", std::string(50, 'x')) ==
               "a.ids:1: \"" + std::string(40, 'x') + "...\" is no object");
}

BOOST_AUTO_TEST_CASE(a_trace_without_requests_is_refused) {
    BOOST_TEST(complaint("a.ids", "") == "a.ids: there is no request in it");
    BOOST_TEST(complaint("a.io.csv", header) == "a.io.csv: there is no request in it");
    BOOST_TEST(complaint("a.ids", compressed("")) == "a.ids: there is no request in it");
}

BOOST_AUTO_TEST_CASE(compressed_data_that_ends_or_breaks_is_refused) {
    const std::string whole = compressed("1\n2\n3\n");
    BOOST_TEST(complaint("a.ids.zst", whole.substr(0, whole.size() - 3)) ==
               "a.ids.zst: the compressed data ends too early");
    BOOST_TEST(complaint("a.ids.zst", whole + "rubbish")
                   .starts_with("a.ids.zst: zstd cannot decompress it: "));
}

BOOST_AUTO_TEST_CASE(names_and_files_that_are_no_traces) {
    const temporary_folder folder;
    BOOST_CHECK_THROW((void)read_trace(written(folder, "a.csv", "1\n")), CLI::ValidationError);
    BOOST_CHECK_THROW((void)read_trace(folder.path("absent.ids")), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(ids_are_numbered_in_their_order) {
    dense_numbers numbers;
    bool good = true;
    for (std::uint64_t round = 0; round < 2; ++round) {
        for (std::uint64_t id = 0; id < 10'000; ++id) good = good && numbers[id << 40] == id;
    }
    BOOST_TEST(good);
    BOOST_TEST(numbers.size() == 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()
