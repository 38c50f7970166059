// What programs of a host get through its agent: the real gatekeeper, the real agent, a TPM in
// software, and clients by the public protocols.
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "bootgate/v1/signing.grpc.pb.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "pki/authority.h"
#include "spiffe/workload.grpc.pb.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
using testing::IsOk;

constexpr size_t kMaxFile = size_t{1} << 20;

std::string ReadText(const std::string& path) { return ReadTextFile(path, kMaxFile).value_or(""); }

std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("workload.spiffe.io", "true");
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  return context;
}

std::string PemOf(const std::string& der, const char* label) {
  return absl::StrCat("-----BEGIN ", label, "-----\n", ToBase64(AsBytes(der)), "\n-----END ", label,
                      "-----\n");
}

// The first certificate of several that stand one after the other.
std::string FirstOf(const std::string& certificates) {
  // DER: 30 82 LL LL, and so many bytes.
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<uint8_t>(certificates[i]));
  };
  return certificates.substr(0, 4 + byte(2) * 256 + byte(3));
}

class WorkloadEnd : public ::testing::Test {
 protected:
  WorkloadEnd() : world_({.install = true, .socket = true}) {}
  void SetUp() override { ASSERT_THAT(world_.Join(), Succeeds()); }

  void RunUntilTrusted() {
    run_ = world_.host.Run();
    ASSERT_TRUE(Eventually([&] { return world_.host.Status("phase") == "trusted"; })) << Log();
  }
  std::string Log() const { return ReadText(world_.host.log_path()); }
  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel("unix:" + world_.host.socket_path(),
                               grpc::InsecureChannelCredentials());
  }
  std::unique_ptr<SpiffeWorkloadAPI::Stub> Spiffe() const {
    return SpiffeWorkloadAPI::NewStub(Channel());
  }
  X509SVID Svid() const {
    const auto stub = Spiffe();
    const auto context = Context();
    const auto stream = stub->FetchX509SVID(context.get(), {});
    X509SVIDResponse got;
    EXPECT_TRUE(stream->Read(&got)) << Log();
    return got.svids_size() == 1 ? got.svids(0) : X509SVID();
  }
  std::string File(const std::string& name, const std::string& text) const {
    const std::string path = world_.gatekeeper.Beside(name);
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    return path;
  }
  std::string SpiffeId() const { return "spiffe://e2e.example/host/" + world_.host.id(); }

  World world_;
  std::unique_ptr<Running> run_;
};

TEST_F(WorkloadEnd, AProgramGetsTheHostsIdentityAndOpensslBelievesIt) {
  RunUntilTrusted();
  const X509SVID svid = Svid();
  EXPECT_EQ(svid.spiffe_id(), SpiffeId());
  const std::string leaf = File("leaf.pem", PemOf(FirstOf(svid.x509_svid()), "CERTIFICATE"));
  const std::string rest = File(
      "rest.pem", PemOf(svid.x509_svid().substr(FirstOf(svid.x509_svid()).size()), "CERTIFICATE"));
  const std::string bundle = File("bundle.pem", PemOf(svid.bundle(), "CERTIFICATE"));
  const std::string key = File("key.pem", PemOf(svid.x509_svid_key(), "PRIVATE KEY"));
  EXPECT_THAT(RunProgram({"openssl", "verify", "-purpose", "sslclient", "-CAfile", bundle,
                          "-untrusted", rest, leaf}),
              Succeeds());
  const Ran of_key = RunProgram({"openssl", "pkey", "-in", key, "-pubout"});
  const Ran of_leaf = RunProgram({"openssl", "x509", "-in", leaf, "-pubkey", "-noout"});
  EXPECT_THAT(of_key, Succeeds());
  EXPECT_EQ(of_key.out, of_leaf.out);
  // The files say the same.
  EXPECT_EQ(ReadText(world_.host.runtime_folder() + "/key.pem").size() > 0, true);
  EXPECT_THAT(
      RunProgram({"openssl", "verify", "-CAfile", world_.host.runtime_folder() + "/bundle.pem",
                  "-untrusted", world_.host.runtime_folder() + "/cert.pem",
                  world_.host.runtime_folder() + "/cert.pem"}),
      Succeeds());
  const Ran status = world_.host.Verb({"status"});
  EXPECT_THAT(status.out, HasSubstr(world_.host.socket_path()));
  EXPECT_EQ(run_->End(SIGTERM), 0);
  EXPECT_FALSE(FileExists(world_.host.socket_path()));
}

TEST_F(WorkloadEnd, ARenewedCredentialIsPushedAndAQuarantineEndsTheStream) {
  RunUntilTrusted();
  const auto stub = Spiffe();
  const auto context = Context();
  const auto stream = stub->FetchX509SVID(context.get(), {});
  X509SVIDResponse first, second, third;
  ASSERT_TRUE(stream->Read(&first)) << Log();
  run_->Signal(SIGHUP);
  ASSERT_TRUE(stream->Read(&second)) << Log();
  EXPECT_EQ(second.svids(0).spiffe_id(), SpiffeId());
  EXPECT_NE(second.svids(0).x509_svid_key(), first.svids(0).x509_svid_key());

  world_.host.Reboot("secure-boot-off");
  run_->Signal(SIGHUP);
  EXPECT_FALSE(stream->Read(&third));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  const auto again_context = Context();
  const auto again = stub->FetchX509SVID(again_context.get(), {});
  EXPECT_FALSE(again->Read(&third));
  const grpc::Status refused = again->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr(world_.host.Status("detail")));
  EXPECT_FALSE(world_.host.IsInstalled());
}

TEST_F(WorkloadEnd, JwtSvidsVerifyHereAndByALibraryThatIsNotOurs) {
  RunUntilTrusted();
  const auto stub = Spiffe();
  JWTSVIDRequest request;
  request.add_audience("https://db.example");
  JWTSVIDResponse got;
  const grpc::Status fetched = stub->FetchJWTSVID(Context().get(), request, &got);
  ASSERT_TRUE(fetched.ok()) << fetched.error_message() << Log();
  ASSERT_EQ(got.svids_size(), 1);
  EXPECT_EQ(got.svids(0).spiffe_id(), SpiffeId());

  ValidateJWTSVIDRequest check;
  check.set_audience("https://db.example");
  check.set_svid(got.svids(0).svid());
  ValidateJWTSVIDResponse valid;
  const grpc::Status checked = stub->ValidateJWTSVID(Context().get(), check, &valid);
  ASSERT_TRUE(checked.ok()) << checked.error_message();
  EXPECT_EQ(valid.spiffe_id(), SpiffeId());
  check.set_audience("https://other.example");
  EXPECT_EQ(stub->ValidateJWTSVID(Context().get(), check, &valid).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);

  const auto context = Context();
  const auto stream = stub->FetchJWTBundles(context.get(), {});
  JWTBundlesResponse bundles;
  ASSERT_TRUE(stream->Read(&bundles));
  const std::string keys = bundles.bundles().at("spiffe://e2e.example");

  if (RunProgram({"/bin/sh", "-c", "command -v node"}).exit_code != 0) {
    GTEST_SKIP() << "there is no node on this machine; scripts/test installs it";
  }
  const std::string folder = testing::SourcePath("tests/jose");
  ASSERT_TRUE(FileExists(folder + "/node_modules/jose/package.json"))
      << "the library is not installed: run scripts/test, or npm ci in tests/jose";
  const Ran ran =
      RunProgram({"/usr/bin/env", "node", folder + "/verify_svid.mjs", File("jwks", keys),
                  File("svid", got.svids(0).svid()), "https://db.example"});
  ASSERT_THAT(ran, Succeeds()) << ran.err;
  const Json said = Json::parse(ran.out);
  EXPECT_EQ(said["sub"], SpiffeId());
  EXPECT_LE(said["exp"].get<int64_t>() - said["iat"].get<int64_t>(), 300);
}

TEST_F(WorkloadEnd, AHostThatWasShutOutGetsNoTokensMore) {
  RunUntilTrusted();
  const X509SVID svid = Svid();
  agent::Endpoint endpoint = world_.gatekeeper.Endpoint();
  const std::string leaf = FirstOf(svid.x509_svid());
  endpoint.client_chain_pem =
      PemOf(leaf, "CERTIFICATE") + PemOf(svid.x509_svid().substr(leaf.size()), "CERTIFICATE");
  endpoint.client_key_pem = PemOf(svid.x509_svid_key(), "PRIVATE KEY");
  const auto stolen = agent::Connect(endpoint).value();
  ASSERT_THAT(stolen->FetchJwtSvid({"db"}).status(), IsOk());
  EXPECT_THAT(stolen->FetchJwtSvid({}).status(), testing::Refuses(Reason::kMessageMalformed));

  const auto nobody = agent::Connect(world_.gatekeeper.Endpoint()).value();
  EXPECT_THAT(nobody->FetchJwtSvid({"db"}).status(), testing::Refuses(Reason::kPeerHostMismatch));
  EXPECT_THAT(nobody->FetchJwtKeys().status(), testing::Refuses(Reason::kPeerHostMismatch));

  world_.host.Reboot("secure-boot-off");
  run_->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return world_.host.Status("phase") == "quarantined"; })) << Log();
  EXPECT_THAT(stolen->FetchJwtSvid({"db"}).status(), testing::Refuses(Reason::kPeerCertRevoked));
  EXPECT_THAT(stolen->FetchJwtKeys().status(), testing::Refuses(Reason::kPeerCertRevoked));
}

// ---- The key in the TPM

// openssl s_server that demands a client certificate and answers each line reversed.
class Peer {
 public:
  Peer(const World& world, const std::string& host_ca) : folder_(world.gatekeeper.Beside("peer")) {
    std::filesystem::create_directory(folder_);
    const Ran made = RunProgram({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                                 "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                                 "-keyout", folder_ + "/key.pem", "-out", certificate()});
    EXPECT_THAT(made, Succeeds()) << made.err;
    running_ = std::make_unique<Running>(
        std::vector<std::string>{"/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                                 certificate(), "-key", folder_ + "/key.pem", "-CAfile", host_ca,
                                 "-Verify", "3", "-verify_return_error", "-rev"},
        std::vector<std::string>{}, folder_ + "/log");
  }
  // Where it listens, once it does.
  std::string Port() const {
    std::string port;
    Eventually([&] {
      const std::string log = Log();
      const size_t at = log.find("ACCEPT 127.0.0.1:");
      const size_t end = at == std::string::npos ? at : log.find('\n', at);
      if (end == std::string::npos) return false;
      port = log.substr(at + 17, end - at - 17);
      return true;
    });
    return port;
  }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string Log() const { return ReadText(folder_ + "/log"); }

 private:
  const std::string folder_;
  std::unique_ptr<Running> running_;
};

class TpmKeyEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(world_.Join(), Succeeds());
    ASSERT_THAT(world_.host.Verb({"attest"}), Succeeds());
  }
  std::string Beside(const std::string& name) const { return world_.gatekeeper.Beside(name); }
  // A line through the pipe.
  Ran Connect(const std::string& port, const std::string& ca, const std::string& name) const {
    std::ofstream(Beside("line")) << "over the key in the TPM\n";
    return RunProgram({"/bin/sh", "-c", "exec \"$@\" < \"$0\"", Beside("line"),
                       Program("bootgate-agent"), "credential", "connect", name + ":" + port,
                       "--ca", ca, "--config", world_.host.config_path()});
  }

  World world_{AgentOptions{.socket = true}};
};

TEST_F(TpmKeyEnd, OpensslVerifiesWhatItSigned) {
  const std::string file = Beside("file"), signature = Beside("signature");
  std::ofstream(file) << std::string(200000, 'x');
  const Ran made = world_.host.Verb({"credential", "sign", "--in", file, "--out", signature});
  ASSERT_THAT(made, Succeeds()) << made.err;
  const std::string certificate = world_.host.state_folder() + "/tpm-key.pem";
  const Ran key = RunProgram({"openssl", "x509", "-in", certificate, "-pubkey", "-noout"});
  std::ofstream(Beside("public")) << key.out;
  EXPECT_THAT(RunProgram({"openssl", "dgst", "-sha256", "-verify", Beside("public"), "-signature",
                          signature, file}),
              Succeeds());
  std::ofstream(file, std::ios::app) << "x";
  EXPECT_NE(RunProgram({"openssl", "dgst", "-sha256", "-verify", Beside("public"), "-signature",
                        signature, file})
                .exit_code,
            0);
}

TEST_F(TpmKeyEnd, MutualTlsRunsWithTheKeyInTheTpm) {
  const Peer peer(world_, world_.gatekeeper.folder() + "/ca/root.pem");
  const std::string port = peer.Port();
  ASSERT_NE(port, "") << peer.Log();
  const Ran ran = Connect(port, peer.certificate(), "localhost");
  EXPECT_THAT(ran, Succeeds()) << peer.Log();
  EXPECT_THAT(ran.out, HasSubstr("MPT eht ni yek eht revo"));
  EXPECT_THAT(peer.Log(), HasSubstr("depth=0"));

  const Ran other_name = Connect(port, peer.certificate(), "127.0.0.1");
  EXPECT_THAT(other_name, EndsWith(ExitCode::kNotAuthorised));
  EXPECT_THAT(other_name.err, HasSubstr("SERVER_AUTH"));
  const Ran other_ca = Connect(port, world_.gatekeeper.folder() + "/ca/root.pem", "localhost");
  EXPECT_THAT(other_ca, EndsWith(ExitCode::kNotAuthorised));
}

TEST_F(TpmKeyEnd, AServerThatDoesNotTakeOurCertificateIsToldApart) {
  const Peer peer(world_, desk::RootCertificatePath(World::VendorFolder()));
  const std::string port = peer.Port();
  ASSERT_NE(port, "") << peer.Log();
  const Ran refused = Connect(port, peer.certificate(), "localhost");
  EXPECT_THAT(refused, EndsWith(ExitCode::kNotAuthorised)) << "and not as another server's fault";
  EXPECT_EQ(refused.err.find("SERVER_AUTH"), std::string::npos) << refused.err;
}

TEST_F(TpmKeyEnd, InAnotherBootStateItSignsNothingAndTheAgentsChannelGoesOnWithoutIt) {
  // The channel of this attestation shows the key's certificate.
  const Ran with_key = world_.host.Verb({"attest"});
  ASSERT_THAT(with_key, Succeeds());
  EXPECT_EQ(with_key.err.find("does not sign"), std::string::npos) << with_key.err;

  ASSERT_THAT(world_.host.desk().Extend(4, "somebody loaded something"), IsOk());
  std::ofstream(Beside("file")) << "text";
  const Ran refused = world_.host.Verb({"credential", "sign", "--in", Beside("file")});
  EXPECT_THAT(refused, EndsWith(ExitCode::kTpm));
  EXPECT_THAT(refused.err, HasSubstr("TPM_POLICY"));
  const Peer peer(world_, world_.gatekeeper.folder() + "/ca/root.pem");
  const Ran connect = Connect(peer.Port(), peer.certificate(), "localhost");
  EXPECT_THAT(connect, EndsWith(ExitCode::kTpm));
  EXPECT_THAT(connect.err, HasSubstr("TPM_POLICY"));

  const Ran attest = world_.host.Verb({"attest"});
  EXPECT_THAT(attest.err, HasSubstr("does not sign"));
  EXPECT_THAT(attest.err, HasSubstr("TPM_POLICY"));
  EXPECT_THAT(attest, EndsWith(ExitCode::kDenied)) << "the evidence arrived, and was judged";
  const Ran gone = world_.host.Verb({"credential", "sign", "--in", Beside("file")});
  EXPECT_THAT(gone, EndsWith(ExitCode::kNotFound));
  EXPECT_THAT(gone.err, HasSubstr("attest first"));
}

TEST_F(TpmKeyEnd, ProgramsHaveTheTpmSignOverTheSocket) {
  const auto run = world_.host.Run();
  ASSERT_TRUE(Eventually([&] { return world_.host.Status("phase") == "trusted"; }))
      << ReadText(world_.host.log_path());
  const auto stub = v1::Signing::NewStub(
      grpc::CreateChannel("unix:" + world_.host.socket_path(), grpc::InsecureChannelCredentials()));
  v1::GetCertificateResponse certificate;
  grpc::ClientContext first, second, third;
  ASSERT_TRUE(stub->GetCertificate(&first, {}, &certificate).ok());
  EXPECT_EQ(certificate.spiffe_id(), "spiffe://e2e.example/host/" + world_.host.id());
  std::ofstream(Beside("file")) << "text";
  v1::SignRequest request;
  request.set_sha256(
      std::string(AsText(crypto::Hash(crypto::HashAlg::kSha256, AsBytes("text")).view())));
  v1::SignResponse made;
  const grpc::Status status = stub->Sign(&second, request, &made);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::ofstream(Beside("leaf.pem")) << PemOf(certificate.chain(0), "CERTIFICATE");
  std::ofstream(Beside("signature")) << made.signature();
  std::ofstream(Beside("public"))
      << RunProgram({"openssl", "x509", "-in", Beside("leaf.pem"), "-pubkey", "-noout"}).out;
  EXPECT_THAT(RunProgram({"openssl", "dgst", "-sha256", "-verify", Beside("public"), "-signature",
                          Beside("signature"), Beside("file")}),
              Succeeds());
  request.set_sha256("short");
  EXPECT_EQ(stub->Sign(&third, request, &made).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// ---- Files and the command that follows them

TEST(InstalledFiles, TheCommandRunsAfterEachChangeAndItsFailureIsTold) {
  const desk::ScratchFolder scratch;
  const std::string told = scratch.path() + "/told";
  World world(
      {.install = true,
       .more = absl::StrCat("[install]\nkey_mode = \"0440\"\non_change = [\"/bin/sh\", \"-c\", "
                            "\"echo $BOOTGATE_CREDENTIAL >> ",
                            told, "; test ! -e ", scratch.path(), "/fail\"]\n")});
  ASSERT_THAT(world.Join(), Succeeds());
  const auto run = world.host.Run();
  ASSERT_TRUE(Eventually([&] { return ReadText(told) == "installed\n"; }))
      << ReadText(world.host.log_path());
  struct stat info = {};
  ASSERT_EQ(stat((world.host.runtime_folder() + "/key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0440u);
  ASSERT_TRUE(Eventually([&] { return world.host.Status("phase") == "trusted"; }));
  std::ofstream(scratch.path() + "/fail") << "1";
  const std::string verdict = world.host.Status("verdict");
  run->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return world.host.Status("verdict") != verdict; }));
  EXPECT_EQ(world.host.Status("phase"), "trusted") << "the credential is good all the same";
  EXPECT_THAT(world.host.Verb({"status"}).out, HasSubstr("on_change:    failed at 2"));
  world.host.Reboot("secure-boot-off");
  run->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return ReadText(told) == "installed\ninstalled\nremoved\n"; }))
      << ReadText(told);
}

}  // namespace
}  // namespace bootgate::e2e
