#include "agent/workload/tls_key.h"

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "absl/time/clock.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/workload/made_identity_test.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::agent::workload {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

// A key in software in the place of the TPM's: what is tested is OpenSSL's side.
struct Elsewhere {
  const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  std::atomic<int> signatures = 0;
  std::atomic<bool> works = true;

  std::unique_ptr<TlsKey> Register() {
    return TlsKey::Register(key.Public(),
                            [this](const crypto::Digest& digest) -> absl::StatusOr<Bytes> {
                              ++signatures;
                              if (!works) return absl::UnavailableError("no");
                              return key.Sign(crypto::SignatureScheme::kEcdsa, digest);
                            })
        .value();
  }
};

bool SignsWith(EVP_PKEY* key, const EVP_MD* hash, Bytes* signature) {
  const crypto::MdCtxPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  const Bytes text(100, 'x');
  if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, text.data(), text.size()) != 1) {
    return false;
  }
  signature->resize(size);
  const bool signed_it =
      EVP_DigestSign(context.get(), signature->data(), &size, text.data(), text.size()) == 1;
  signature->resize(size);
  crypto::ClearOpenSslErrors();
  return signed_it;
}

TEST(TlsKey, OpenSslSignsWithItAndTheSignatureIsGood) {
  Elsewhere elsewhere;
  const std::unique_ptr<TlsKey> registered = elsewhere.Register();
  BG_ASSERT_OK_AND_ASSIGN(const crypto::PkeyPtr key, registered->Load());
  Bytes signature;
  ASSERT_TRUE(SignsWith(key.get(), EVP_sha256(), &signature));
  EXPECT_EQ(elsewhere.signatures, 1);
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, Bytes(100, 'x'));
  EXPECT_THAT(elsewhere.key.Public().Verify(crypto::SignatureScheme::kEcdsa, digest, signature),
              IsOk());
}

TEST(TlsKey, AnotherHashAndAKeyThatRefusesEndInAnErrorNotInASignature) {
  Elsewhere elsewhere;
  const std::unique_ptr<TlsKey> registered = elsewhere.Register();
  BG_ASSERT_OK_AND_ASSIGN(const crypto::PkeyPtr key, registered->Load());
  Bytes signature;
  EXPECT_FALSE(SignsWith(key.get(), EVP_sha384(), &signature));
  EXPECT_EQ(elsewhere.signatures, 0);
  elsewhere.works = false;
  EXPECT_FALSE(SignsWith(key.get(), EVP_sha256(), &signature));
}

TEST(TlsKey, ALoadedKeyOutlivesItsName) {
  Elsewhere elsewhere;
  std::unique_ptr<TlsKey> registered = elsewhere.Register();
  crypto::PkeyPtr key = registered->Load().value();
  registered.reset();
  Bytes signature;
  EXPECT_TRUE(SignsWith(key.get(), EVP_sha256(), &signature));
}

TEST(TlsKey, OnlyP256) {
  const crypto::PrivateKey p384 = crypto::PrivateKey::GenerateEc(crypto::Curve::kP384).value();
  EXPECT_THAT(TlsKey::Register(p384.Public(), nullptr).status(), Refuses(Reason::kKeyWeak));
}

// ---- gRPC takes it in the place of a private key in PEM.

class WhoCalls final : public v1::Workload::Service {
 public:
  grpc::Status FetchJwtKeys(grpc::ServerContext* context, const v1::JwtKeysRequest*,
                            v1::JwtKeysResponse* response) override {
    const auto names = context->auth_context()->FindPropertyValues("peer_spiffe_id");
    if (!names.empty()) response->set_jwks(std::string(names[0].data(), names[0].size()));
    return grpc::Status::OK;
  }
};

class TlsKeyInGrpc : public ::testing::Test {
 protected:
  void SetUp() override {
    const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    const absl::Time now = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
    const Bytes server =
        made_.authority()
            .IssueServer({"localhost"}, key.Public(), now - absl::Minutes(1), now + absl::Hours(1))
            .value();
    grpc::SslServerCredentialsOptions tls(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = made_.bundle_pem();
    tls.pem_key_cert_pairs.push_back({std::string(AsText(key.Pem().view())),
                                      pki::DerToPem(server) + made_.authority().issuing_pem()});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  absl::StatusOr<std::string> Call(const std::string& chain_pem, const std::string& key) {
    Endpoint endpoint;
    endpoint.address = "127.0.0.1:" + std::to_string(port_);
    endpoint.server_name = "localhost";
    endpoint.ca_pem = made_.bundle_pem();
    endpoint.client_chain_pem = chain_pem;
    endpoint.client_key_pem = key;
    return Connect(endpoint).value()->FetchJwtKeys();
  }

  const MadeIdentities made_;
  WhoCalls service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

TEST_F(TlsKeyInGrpc, MutualTlsRunsOverTheKeyThatLiesElsewhere) {
  Elsewhere elsewhere;
  const std::unique_ptr<TlsKey> registered = elsewhere.Register();
  const std::string chain =
      made_.CertificateFor(elsewhere.key.Public(), absl::Now() + absl::Hours(1));
  const absl::StatusOr<std::string> who = Call(chain, registered->grpc_name());
  ASSERT_THAT(who.status(), IsOk());
  EXPECT_EQ(*who, TestSpiffeId());
  EXPECT_GE(elsewhere.signatures, 1);
}

TEST_F(TlsKeyInGrpc, AKeyThatRefusesIsNoConnection) {
  Elsewhere elsewhere;
  elsewhere.works = false;
  const std::unique_ptr<TlsKey> registered = elsewhere.Register();
  const std::string chain =
      made_.CertificateFor(elsewhere.key.Public(), absl::Now() + absl::Hours(1));
  EXPECT_FALSE(Call(chain, registered->grpc_name()).ok());
  EXPECT_GE(elsewhere.signatures, 1);
}

TEST_F(TlsKeyInGrpc, ANameThatIsNoneIsNoConnection) {
  Elsewhere elsewhere;
  const std::string chain =
      made_.CertificateFor(elsewhere.key.Public(), absl::Now() + absl::Hours(1));
  EXPECT_FALSE(Call(chain, "engine:bootgate:key-none").ok());
}

}  // namespace
}  // namespace bootgate::agent::workload
