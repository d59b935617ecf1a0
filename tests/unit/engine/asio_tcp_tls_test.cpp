// asio::ssl on a shard's streams.
#include "asio_support.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string>

BOOST_AUTO_TEST_SUITE(asio_tcp_tls_test)

using namespace leat;
using namespace leat::test;
namespace ssl = asio::ssl;

namespace {

struct free_openssl {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
};

/// A key, and a certificate that it signed itself for the name "leat".
struct identity {
    identity() : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* const name = X509_get_subject_name(certificate.get());
        const auto* const text = reinterpret_cast<const unsigned char*>("leat");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
    }
    std::unique_ptr<EVP_PKEY, free_openssl> key;
    std::unique_ptr<X509, free_openssl> certificate;
};

/// Contexts of a server with that identity and a client that trusts it.
struct contexts {
    contexts() {
        const identity self;
        SSL_CTX_use_certificate(server.native_handle(), self.certificate.get());
        SSL_CTX_use_PrivateKey(server.native_handle(), self.key.get());
        X509_STORE_add_cert(SSL_CTX_get_cert_store(client.native_handle()), self.certificate.get());
        client.set_verify_mode(ssl::verify_peer);
    }
    ssl::context server{ssl::context::tls_server};
    ssl::context client{ssl::context::tls_client};
};

using secure_stream = ssl::stream<tcp_stream>;

task<> echo(tcp_stream plain, ssl::context& context) {
    secure_stream stream(std::move(plain), context);
    co_await stream.async_handshake(ssl::stream_base::server, use_task);
    std::array<char, 16384> memory{};
    for (;;) {
        const auto read = co_await stream.async_read_some(asio::buffer(memory), with_code);
        if (std::get<0>(read)) break;
        const asio::const_buffer same(memory.data(), std::get<1>(read));
        co_await asio::async_write(stream, same, use_task);
    }
    co_await stream.async_shutdown(with_code);
}

}  // namespace

BOOST_DATA_TEST_CASE(an_echo_in_both_directions_at_once, both_backends, kind) {
    contexts tls;
    auto job = [&](engine&) -> task<std::string> {
        const std::size_t threads_before = threads();
        connection both;
        scope server;
        server.spawn(echo(std::move(both.far), tls.server));
        secure_stream stream(std::move(both.near), tls.client);
        co_await stream.async_handshake(ssl::stream_base::client, use_task);
        for (const std::size_t size : {1U, 1000U, 100'000U, 3'000'000U}) {
            const std::string out(size, 't');
            std::string in(size, ' ');
            told sent;
            // A read and a write wait for one another within asio::ssl.
            asio::async_write(stream, asio::buffer(out), sent.handler());
            co_await asio::async_read(stream, asio::buffer(in), use_task);
            LEAT_EXPECT(in == out);
            const bool done = co_await until([&] { return sent.calls == 1; });
            LEAT_EXPECT(done && !sent.code);
        }
        LEAT_EXPECT(threads() == threads_before);
        const auto end = co_await stream.async_shutdown(with_code);
        LEAT_EXPECT(!std::get<0>(end));
        stream.lowest_layer().close();
        co_await server.join();
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_stranger_is_refused, both_backends, kind) {
    contexts tls;
    contexts other;
    auto job = [&](engine&) -> task<std::string> {
        connection both;
        secure_stream server(std::move(both.far), tls.server);
        secure_stream client(std::move(both.near), other.client);
        told accepted;
        server.async_handshake(ssl::stream_base::server, accepted.handler());
        const auto result = co_await client.async_handshake(ssl::stream_base::client, with_code);
        LEAT_EXPECT(std::get<0>(result).category() == asio::error::get_ssl_category());
        client.lowest_layer().close();
        const bool done = co_await until([&] { return accepted.calls == 1; });
        LEAT_EXPECT(done && accepted.code);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
