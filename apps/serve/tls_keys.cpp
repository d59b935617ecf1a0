// Reads certificates, and sets TLS up.
#include "tls_keys.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace leat::serve {

namespace {

namespace ssl = boost::asio::ssl;

/// Takes http/1.1 where the client offers protocols (ALPN), and goes on without where it does not.
int choose_protocol(SSL*,
                    const unsigned char** chosen,
                    unsigned char* chosen_size,
                    const unsigned char* offered,
                    unsigned offered_size,
                    void*) {
    constexpr std::string_view mine = "http/1.1";
    for (unsigned at = 0; at < offered_size; at += offered[at] + 1U) {
        const std::string_view one{reinterpret_cast<const char*>(offered + at + 1),
                                   std::min<std::size_t>(offered[at], offered_size - at - 1)};
        if (one == mine) {
            *chosen = offered + at + 1;
            *chosen_size = offered[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

tls_keys::tls_keys(std::string certificate, std::string key)
    : certificate_(std::move(certificate)), key_(std::move(key)), context_(read()) {}

std::string tls_keys::reload() try {
    context_.store(read());
    return {};
} catch (const std::exception& failure) {
    return failure.what();
}

std::shared_ptr<ssl::context> tls_keys::read() const {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
    made->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                      ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    // OpenSSL would ask at the terminal for the password of a key, and wait.
    made->set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string{}; });
    SSL_CTX* const raw = made->native_handle();
    // An idle connection keeps no buffers for records.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    constexpr std::string_view session = "leat-serve";
    SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>(session.data()),
                                   static_cast<unsigned>(session.size()));
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    const std::string& key = key_.empty() ? certificate_ : key_;
    const std::string* at = &certificate_;
    const char* option = "--tls-certificate ";
    try {
        made->use_certificate_chain_file(certificate_);
        at = &key;
        if (!key_.empty()) option = "--tls-key ";
        made->use_private_key_file(key, ssl::context::pem);
    } catch (const boost::system::system_error& failure) {
        throw std::runtime_error(option + *at + ": " + failure.code().message());
    }
    return made;
}

}  // namespace leat::serve
