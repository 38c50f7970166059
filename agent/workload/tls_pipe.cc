#include "agent/workload/tls_pipe.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/bytes_view.h"
#include "common/base/descriptor.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::workload {
namespace {

using SslCtxPtr = std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, crypto::FreeWith<SSL_free>>;

constexpr size_t kPiece = 16384;  // bytes, a TLS record
// The key in the TPM signs SHA-256 alone; the server may sign as it likes among these.
constexpr char kSignatures[] = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384";

absl::Status Failed(absl::string_view doing) {
  return crypto::OpenSslError(absl::StatusCode::kUnauthenticated, doing);
}

absl::Status TrustIn(SSL_CTX* context, const std::string& ca_pem) {
  const crypto::BioPtr in(BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  size_t added = 0;
  for (;;) {
    const crypto::X509Ptr one(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (one == nullptr) break;
    if (X509_STORE_add_cert(store, one.get()) != 1) return Failed("take the CA");
    ++added;
  }
  crypto::ClearOpenSslErrors();  // the end of the text is one
  return added > 0 ? absl::OkStatus() : absl::InvalidArgumentError("no CA certificate is given");
}

absl::Status Show(SSL_CTX* context, const TlsPipeOptions& options) {
  const crypto::BioPtr in(
      BIO_new_mem_buf(options.chain_pem.data(), static_cast<int>(options.chain_pem.size())));
  const crypto::X509Ptr leaf(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return Failed("take our certificate");
  for (;;) {
    crypto::X509Ptr one(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (one == nullptr) break;
    if (SSL_CTX_add0_chain_cert(context, one.get()) != 1) return Failed("take our chain");
    (void)one.release();  // the context has it
  }
  crypto::ClearOpenSslErrors();
  if (SSL_CTX_use_PrivateKey(context, options.key) != 1) return Failed("take our key");
  return absl::OkStatus();
}

absl::StatusOr<SslCtxPtr> ContextFor(const TlsPipeOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set1_sigalgs_list(context.get(), kSignatures) != 1) {
    return Failed("set up TLS");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  BG_RETURN_IF_ERROR(TrustIn(context.get(), options.ca_pem));
  BG_RETURN_IF_ERROR(Show(context.get(), options));
  return context;
}

// Waits until the descriptor is ready or the time is over.
bool Ready(int fd, short events, absl::Time until) {
  const auto left = std::max(absl::ZeroDuration(), until - absl::Now());
  pollfd wait = {fd, events, 0};
  return poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) > 0;
}

int ConnectOne(const addrinfo& address, absl::Time until) {
  const int fd = socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        address.ai_protocol);
  if (fd < 0) return -1;
  int error = 0;
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    socklen_t size = sizeof(error);
    if (errno != EINPROGRESS || !Ready(fd, POLLOUT, until) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = ETIMEDOUT;
    }
  }
  if (error == 0) return fd;
  close(fd);
  errno = error;
  return -1;
}

absl::StatusOr<int> Connect(const TlsPipeOptions& options, absl::Time until) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found);
  if (problem != 0) {
    return absl::UnavailableError(
        absl::StrCat(options.host, ":", options.port, ": ", gai_strerror(problem)));
  }
  const std::unique_ptr<addrinfo, crypto::FreeWith<freeaddrinfo>> owner(found);
  for (const addrinfo* row = found; row != nullptr; row = row->ai_next) {
    const int fd = ConnectOne(*row, until);
    if (fd >= 0) return fd;
  }
  return SystemError("connect to", absl::StrCat(options.host, ":", options.port), errno);
}

absl::Status Expect(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1) return absl::OkStatus();
  crypto::ClearOpenSslErrors();
  if (SSL_set1_host(ssl, name.c_str()) != 1 || SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    return Failed("name the server");
  }
  return absl::OkStatus();
}

absl::Status ShakeHands(SSL* ssl, int fd, absl::Time until) {
  for (;;) {
    const int done = SSL_connect(ssl);
    if (done == 1) return absl::OkStatus();
    const int why = SSL_get_error(ssl, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      if (Ready(fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until)) continue;
      return absl::UnavailableError("the server does not finish the handshake");
    }
    const long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
      crypto::ClearOpenSslErrors();
      return NotAuthentic(Reason::kServerAuth, X509_verify_cert_error_string(verified));
    }
    return Failed("shake hands");
  }
}

// Writes all of it, whatever the descriptor is.
absl::Status WriteAll(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("write", "the output", errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

// Bytes both ways over one connection.
class Pump {
 public:
  Pump(SSL* ssl, int fd, int in_fd, int out_fd)
      : ssl_(ssl), fd_(fd), in_fd_(in_fd), out_fd_(out_fd) {}

  absl::Status Run() {
    while (!ended_) {
      if (SSL_pending(ssl_) == 0) BG_RETURN_IF_ERROR(Wait());
      BG_RETURN_IF_ERROR(FromServer());
      BG_RETURN_IF_ERROR(ToServer());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Wait() {
    std::array<pollfd, 2> waits = {{{fd_, POLLIN, 0}, {in_ended_ ? -1 : in_fd_, POLLIN, 0}}};
    if (size_ > 0) waits[0].events |= POLLOUT;
    if (size_ > 0) waits[1].fd = -1;  // one piece at a time
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR)
      return SystemError("wait for", "the connection", errno);
    in_ready_ = (waits[1].revents & (POLLIN | POLLHUP)) != 0;
    return absl::OkStatus();
  }

  absl::Status FromServer() {
    std::array<uint8_t, kPiece> piece;
    for (;;) {
      size_t n = 0;
      if (SSL_read_ex(ssl_, piece.data(), piece.size(), &n) == 1) {
        BG_RETURN_IF_ERROR(WriteAll(out_fd_, ByteView(piece).first(n)));
        continue;
      }
      const int why = SSL_get_error(ssl_, 0);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return absl::OkStatus();
      ended_ = true;
      const bool cut = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      if (why != SSL_ERROR_ZERO_RETURN && !(cut && in_ended_))
        return Failed("read from the server");
      crypto::ClearOpenSslErrors();
      return absl::OkStatus();
    }
  }

  absl::Status ToServer() {
    if (ended_) return absl::OkStatus();
    if (size_ == 0 && in_ready_) {
      const ssize_t n = read(in_fd_, piece_.data(), piece_.size());
      in_ready_ = false;
      if (n < 0 && errno != EINTR && errno != EAGAIN)
        return SystemError("read", "the input", errno);
      // What we had to say is said; the server may still answer.
      if (n == 0) {
        in_ended_ = true;
        SSL_shutdown(ssl_);
      }
      size_ = n > 0 ? static_cast<size_t>(n) : 0;
    }
    if (size_ == 0) return absl::OkStatus();
    size_t n = 0;
    if (SSL_write_ex(ssl_, piece_.data(), size_, &n) == 1) {
      size_ = 0;
      return absl::OkStatus();
    }
    const int why = SSL_get_error(ssl_, 0);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return absl::OkStatus();
    return Failed("write to the server");
  }

  SSL* const ssl_;
  const int fd_, in_fd_, out_fd_;
  bool ended_ = false, in_ended_ = false, in_ready_ = false;
  std::array<uint8_t, kPiece> piece_ = {};
  size_t size_ = 0;  // of the piece that is on its way to the server
};

}  // namespace

absl::Status RunTlsPipe(const TlsPipeOptions& options, int in_fd, int out_fd) {
  const absl::Time until = absl::Now() + options.connect_within;
  BG_ASSIGN_OR_RETURN(const SslCtxPtr context, ContextFor(options));
  BG_ASSIGN_OR_RETURN(const int fd, Connect(options, until));
  const Descriptor connection(fd);
  const SslPtr ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) return Failed("set up the connection");
  BG_RETURN_IF_ERROR(Expect(ssl.get(), options.server_name));
  BG_RETURN_IF_ERROR(ShakeHands(ssl.get(), fd, until));
  return Pump(ssl.get(), fd, in_fd, out_fd).Run();
}

}  // namespace bootgate::agent::workload
