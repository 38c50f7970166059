#include "gatekeeper/service/renewable_tls.h"

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <mutex>
#include <string>
#include <utility>

namespace bootgate::gatekeeper::service {

class RenewableTls::Credentials final : public grpc::ServerCredentials {
 public:
  Credentials(TlsMaterial tls, ClientCertificate of_clients)
      : tls_(std::move(tls)),
        core_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                of_clients == ClientCertificate::kRequired
                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY,
                Fetch, this))) {}
  ~Credentials() override { grpc_server_credentials_release(core_); }

  void Renew(TlsMaterial tls) {
    const std::lock_guard lock(mutex_);
    tls_ = std::move(tls);
    is_new_ = true;
  }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    // Peers are told by their certificates; nothing here reads metadata for that.
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), core_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    auto* const credentials = static_cast<Credentials*>(self);
    const std::lock_guard lock(credentials->mutex_);
    if (!credentials->is_new_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const TlsMaterial& tls = credentials->tls_;
    const grpc_ssl_pem_key_cert_pair pair = {tls.key_pem.c_str(), tls.chain_pem.c_str()};
    *config = grpc_ssl_server_certificate_config_create(tls.client_ca_pem.c_str(), &pair, 1);
    credentials->is_new_ = false;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  std::mutex mutex_;
  TlsMaterial tls_;     // under mutex_
  bool is_new_ = true;  // under mutex_: gRPC has not taken it yet
  grpc_server_credentials* const core_;
};

RenewableTls::RenewableTls(TlsMaterial tls, ClientCertificate of_clients)
    : credentials_(std::make_shared<Credentials>(std::move(tls), of_clients)) {}

std::shared_ptr<grpc::ServerCredentials> RenewableTls::credentials() const { return credentials_; }

void RenewableTls::Renew(TlsMaterial tls) { credentials_->Renew(std::move(tls)); }

}  // namespace bootgate::gatekeeper::service
