// Files of htpasswd: what they may hold, and whom they let in.
#include "http/password_file.hpp"

#include "pattern.hpp"

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <crypt.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(password_file_test)

using leat::http::password_file;

namespace {

const std::string salt = "abcdefghijklmnopqrstuu";

std::string hashed(const std::string& password, const std::string& prefix = "$2y$04$") {
    const auto room = std::make_unique<crypt_data>();
    const char* const made = ::crypt_r(password.c_str(), (prefix + salt).c_str(), room.get());
    BOOST_TEST_REQUIRE(made != nullptr);
    BOOST_TEST_REQUIRE(*made == '$');
    return made;
}

// The sentence that says what is wrong, or "".
std::string fault_of(std::string_view text) {
    try {
        static_cast<void>(password_file::from_text(text));
        return "";
    } catch (const std::runtime_error& failure) {
        return failure.what();
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_and_passwords) {
    const password_file file = password_file::from_text(
        "# people\nzoe:" + hashed("open sesame") + "\r\n\nalice:" + hashed("", "$2b$04$") +
        "\nbob:" + hashed(std::string(72, 'x'), "$2a$05$"));
    BOOST_TEST(file.size() == 3U);
    BOOST_TEST(file.accepts("zoe", "open sesame"));
    BOOST_TEST(file.accepts("alice", ""));
    BOOST_TEST(file.accepts("bob", std::string(72, 'x')));
    BOOST_TEST(!file.accepts("zoe", "open sesamf"));
    BOOST_TEST(!file.accepts("zoe", "open sesame "));
    BOOST_TEST(!file.accepts("zoe", ""));
    BOOST_TEST(!file.accepts("Zoe", "open sesame"));
    BOOST_TEST(!file.accepts("alice", "open sesame"));
    BOOST_TEST(!file.accepts("", ""));
    BOOST_TEST(!file.accepts("zo", "open sesame"));
    BOOST_TEST(!file.accepts("# people\nzoe", "open sesame"));
    // bcrypt would take them for the same.
    BOOST_TEST(!file.accepts("bob", std::string(73, 'x')));
    BOOST_TEST(!file.accepts("alice", std::string{"\0x", 2}));
    BOOST_TEST(!password_file::from_text("").accepts("", ""));
}

BOOST_AUTO_TEST_CASE(lines_that_are_refused) {
    const std::string right = "a:" + hashed("x") + '\n';
    BOOST_TEST(fault_of(right) == "");
    const std::string hash = hashed("x");
    const std::vector<std::string> wrong{
        "b",
        "b:",
        ":" + hash,
        "b:secret",
        "b:$apr1$salt$PTxAkDjLnsJbLw8d0SBS5.",
        "b:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "b:$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "b:$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9A",
        "b:Ep6mckrOLChF.",
        "b:" + hash.substr(1),
        "b:" + hash.substr(0, 59),
        "b:" + hash + "x",
        "b:" + hash + " ",
        "b: " + hash,
        "b:$2x$04$" + hash.substr(7),
        "b:$2y$03$" + hash.substr(7),
        "b:$2y$32$" + hash.substr(7),
        "b:$2y$xx$" + hash.substr(7),
        "b:$2y$04$" + std::string(53, ':')};
    for (const std::string& line : wrong) {
        const std::string fault = fault_of(right + line + "\nc:" + hashed("x"));
        BOOST_TEST(fault.starts_with("line 2: "), line << ": " << fault);
        BOOST_TEST(fault.find("secret") == fault.npos);  // no passwords in messages
    }
    const std::string twice = right + "b:" + hash + '\n' + right;
    BOOST_TEST(fault_of(twice) == "line 3: the name a is that of another line, too");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_takes_as_long) {
    using clock = std::chrono::steady_clock;
    const password_file file =
        password_file::from_text("cheap:" + hashed("x") + "\ncostly:" + hashed("x", "$2y$07$"));
    const auto time_of = [&file](std::string_view name) {
        auto least = clock::duration::max();
        for (int i = 0; i < 3; ++i) {
            const auto begin = clock::now();
            BOOST_TEST(!file.accepts(name, "y"));
            least = std::min(least, clock::now() - begin);
        }
        return least;
    };
    const auto known = time_of("costly");
    const auto unknown = time_of("nobody");
    BOOST_TEST((unknown > known / 4 && unknown < known * 4));
}

BOOST_AUTO_TEST_CASE(a_file) {
    const leat::test::temporary_folder folder;
    const std::string name = folder.path("htpasswd");
    std::ofstream{name} << "a:" << hashed("x") << '\n';
    BOOST_TEST(password_file::read(name).accepts("a", "x"));
    std::ofstream{name} << "";
    BOOST_TEST(password_file::read(name).size() == 0U);
    std::remove(name.c_str());
    BOOST_CHECK_THROW(static_cast<void>(password_file::read(name)), boost::system::system_error);
    BOOST_CHECK_THROW(static_cast<void>(password_file::read("/")), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
