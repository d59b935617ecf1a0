// Checks passwords beside the shards, and remembers the outcome.
#include "authenticator.hpp"

#include "http/basic_credentials.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace leat::serve {

authenticator::authenticator(password_check& check) : check_(check) {
    if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1)
        throw std::runtime_error("OpenSSL has no random numbers");
}

std::size_t authenticator::hash::operator()(const digest& one) const noexcept {
    std::size_t part = 0;  // it is as good as random
    std::memcpy(&part, one.data(), sizeof part);
    return part;
}

authenticator::digest authenticator::digest_of(std::string_view text) const noexcept {
    digest sum{};
    unsigned size = sum.size();
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data(), &size);
    return sum;
}

authenticator::outcome authenticator::remembered(std::string_view authorization) const noexcept {
    const auto found = results_.find(digest_of(authorization));
    if (found == results_.end() || this_shard().turn_time() >= found->second.until)
        return outcome::unknown;
    return found->second.accepted ? outcome::accepted : outcome::refused;
}

task<bool> authenticator::accepts(std::string authorization) {
    std::vector<char> memory(authorization.size());
    const auto credentials = http::read_basic(authorization, memory);
    if (!credentials) co_return false;
    auto compare = [&] { return check_.known.accepts(credentials->user, credentials->password); };
    const bool accepted = co_await offload(check_.hashing, compare);
    const io::time_point now = this_shard().now();
    if (results_.size() >= most) {
        std::erase_if(results_, [now](const auto& one) { return now >= one.second.until; });
        if (results_.size() >= most) results_.clear();
    }
    results_[digest_of(authorization)] = {accepted, now + kept};
    co_return accepted;
}

std::string_view user_of(std::string_view authorization, std::span<char> buffer) {
    const auto credentials = http::read_basic(authorization, buffer);
    return credentials ? credentials->user : std::string_view{};
}

}  // namespace leat::serve
