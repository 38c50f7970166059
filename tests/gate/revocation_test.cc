// What others see of a quarantine, by the programs that others use: openssl and curl against the
// real HTTP port.
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/wait.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/http/http_server.h"
#include "gatekeeper/http/routes.h"
#include "gatekeeper/revocation/publisher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/server_identity.h"
#include "pki/x509_read.h"
#include "tests/gate/port_gate.h"

namespace bootgate::gate {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::Refuses;

struct Ran {
  int exit_code = -1;
  std::string out;  // both streams
};

Ran Shell(const std::string& command) {
  Ran ran;
  FILE* const pipe = popen(absl::StrCat("exec 2>&1; ", command).c_str(), "r");
  if (pipe == nullptr) return ran;
  char buffer[4096];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    ran.out.append(buffer, got);
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

class RevocationPeersTest : public ::testing::Test {
 protected:
  RevocationPeersTest() : publisher_(*port_.gate.store, port_.gate.authority, port_.gate.clock) {
    std::string pattern = ::testing::TempDir() + "/peers.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    server_ = gatekeeper::http::HttpServer::Bind({.listen = "127.0.0.1:0"}).value();
    EXPECT_THAT(publisher_.Refresh(), IsOk());
    publisher_.Start();
    server_->Serve(gatekeeper::http::RoutesFor({.publisher = &publisher_,
                                                .clock = &port_.gate.clock,
                                                .ready = [] { return absl::OkStatus(); },
                                                .metrics = [] { return std::string(); }}));
    Write("root.pem", port_.gate.authority.root_pem());
  }
  ~RevocationPeersTest() override {
    server_->Stop();
    publisher_.Stop();
    std::filesystem::remove_all(folder_);
  }

  std::string File(const std::string& name) const { return folder_ + "/" + name; }
  std::string Write(const std::string& name, absl::string_view text) const {
    EXPECT_THAT(WriteFileAtomically(File(name), AsBytes(text), 0600), IsOk());
    return File(name);
  }
  std::string Url(const std::string& path) const {
    return absl::StrCat("http://127.0.0.1:", server_->port(), path);
  }
  // The gate's clock stands; what openssl compares with it is told so.
  std::string AtTime() const {
    return absl::StrCat(" -attime ", absl::ToUnixSeconds(port_.gate.clock.Now()), " ");
  }

  // A host with a sealed credential that it has opened; its certificate, key and CA lie in files.
  struct Credentialed {
    SoftHost host;
    std::string serial, key_id;
    ClientCertificate certificate;
  };
  Credentialed Admitted(const std::string& name) {
    SoftHost host = port_.gate.NewHost();
    const agent::AttestAnswer answer = host.Attest(*port_.gate.Direct()).value();
    EXPECT_EQ(answer.outcome, "ADMIT");
    const crypto::X509Ptr leaf = pki::ParseCertificate(answer.sealed.certificate).value();
    const ASN1_OCTET_STRING* const key_id = X509_get0_authority_key_id(leaf.get());
    Credentialed out{.host = std::move(host),
                     .serial = pki::SerialHex(leaf.get()),
                     .key_id = ToHex(pki::StringBytes(key_id))};
    out.certificate = CertificateOf(out.host, answer.sealed);
    Write(name + ".pem", pki::DerToPem(answer.sealed.certificate));
    Write(name + ".key", out.certificate.key_pem);
    EXPECT_EQ(
        Shell(absl::StrCat("curl -sSf -o ", File("ca.cer "), Url("/ca/" + out.key_id + ".cer"),
                           " && openssl x509 -inform DER -in ", File("ca.cer"), " -out ",
                           File("ca.pem")))
            .exit_code,
        0);
    return out;
  }
  void Quarantine(SoftHost& host) {
    host.Reboot(LoadCase("secure-boot-off"));
    ASSERT_EQ(host.Attest(*port_.gate.Direct()).value().outcome, "DENY");
  }

  Ran FetchCrl(const Credentialed& who) const {
    return Shell(absl::StrCat(
        "curl -sSf -o ", File("list.crl "), Url("/crl/" + who.key_id + ".crl"),
        " && openssl crl -inform DER -in ", File("list.crl"), " -out ", File("crl.pem"),
        " && openssl crl -in ", File("crl.pem"), " -noout -text -CAfile ", File("ca.pem")));
  }
  Ran AskOcsp(const Credentialed& who, const std::string& more = "") const {
    return Shell(absl::StrCat("openssl ocsp -issuer ", File("ca.pem"), " -serial 0x", who.serial,
                              " -url ", Url("/ocsp"), " -CAfile ", File("root.pem"),
                              " -verify_other ", File("ca.pem"), AtTime(), more));
  }
  // Fetched without a program in between: when did the list change?
  bool IsListed(const Credentialed& who) const {
    const std::optional<gatekeeper::revocation::File> file = publisher_.Find(who.key_id + ".crl");
    return file.has_value() && absl::StrContains(*file->body, AsText(FromHex(who.serial).value()));
  }

  PortGate port_;
  gatekeeper::revocation::Publisher publisher_;
  std::unique_ptr<gatekeeper::http::HttpServer> server_;
  std::string folder_;
};

std::string SerialAsCrlShowsIt(const std::string& hex) {
  std::string text = hex;
  for (char& c : text) c = absl::ascii_toupper(static_cast<unsigned char>(c));
  return text;
}

TEST_F(RevocationPeersTest, A80_AQuarantineIsSeenByOpensslWithinASecond) {
  constexpr int kRounds = 3;  // a busy machine may be slow once
  absl::Duration fastest = absl::InfiniteDuration();
  for (int i = 0; i < kRounds; ++i) {
    Credentialed who = Admitted("host");
    EXPECT_THAT(FetchCrl(who).out,
                AllOf(HasSubstr("verify OK"), Not(HasSubstr(SerialAsCrlShowsIt(who.serial)))));
    EXPECT_THAT(AskOcsp(who).out, AllOf(HasSubstr("Response verify OK"), HasSubstr(": good")));

    Quarantine(who.host);
    const absl::Time begin = absl::Now();
    while (!IsListed(who) && absl::Now() - begin < absl::Seconds(30)) {
      absl::SleepFor(absl::Milliseconds(2));
    }
    fastest = std::min(fastest, absl::Now() - begin);

    const Ran crl = FetchCrl(who);
    EXPECT_THAT(crl.out, AllOf(HasSubstr("verify OK"), HasSubstr(SerialAsCrlShowsIt(who.serial)),
                               HasSubstr("Privilege Withdrawn")));
    EXPECT_THAT(AskOcsp(who).out, AllOf(HasSubstr("Response verify OK"), HasSubstr(": revoked"),
                                        HasSubstr("Revocation Time")));
  }
  EXPECT_LE(fastest, absl::Seconds(1));
}

TEST_F(RevocationPeersTest, OpensslAsksWithAndWithoutANonceAndByEveryDigest) {
  Credentialed who = Admitted("host");
  EXPECT_THAT(AskOcsp(who, "-no_nonce").out, HasSubstr(": good"));
  // Nothing is said of a nonce when it came back.
  EXPECT_THAT(AskOcsp(who, "-nonce").out, AllOf(HasSubstr(": good"), Not(HasSubstr("onvalid")),
                                                Not(HasSubstr("WARNING: no nonce"))));
  for (const char* const digest : {"-sha256", "-sha384", "-sha512"}) {
    const Ran ran = Shell(absl::StrCat(
        "openssl ocsp -issuer ", File("ca.pem"), " ", digest, " -serial 0x", who.serial, " -url ",
        Url("/ocsp"), " -CAfile ", File("root.pem"), " -verify_other ", File("ca.pem"), AtTime()));
    EXPECT_THAT(ran.out, AllOf(HasSubstr("Response verify OK"), HasSubstr(": good"))) << digest;
  }
  // A serial that we never gave out.
  who.serial = "4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f";
  EXPECT_THAT(AskOcsp(who).out, HasSubstr(": unknown"));
}

TEST_F(RevocationPeersTest, OpensslVerifyRefusesARevokedCredential) {
  Credentialed who = Admitted("host");
  const auto verify = [&] {
    EXPECT_EQ(FetchCrl(who).exit_code, 0);
    return Shell(absl::StrCat("openssl verify -x509_strict -crl_check -CRLfile ", File("crl.pem"),
                              " -CAfile ", File("root.pem"), " -untrusted ", File("ca.pem"),
                              AtTime(), File("host.pem")));
  };
  EXPECT_THAT(verify().out, HasSubstr("host.pem: OK"));
  Quarantine(who.host);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_THAT(verify().out, HasSubstr("certificate revoked"));
}

// A server that somebody else runs, and that does no more than keep our list.
TEST_F(RevocationPeersTest, ATlsServerThatChecksTheListTurnsARevokedHostAway) {
  Credentialed who = Admitted("host");
  const auto identity = pki::ServerIdentity::Make(port_.gate.authority, {.names = {"localhost"}},
                                                  port_.gate.clock.Now())
                            .value();
  Write("server.pem", identity.chain_pem());
  Write("server.key", AsText(identity.key_pem().view()));
  const auto connect = [&] {
    EXPECT_EQ(FetchCrl(who).exit_code, 0);
    // The server says where it listens, serves one client and ends.
    const std::string serve = absl::StrCat(
        "openssl s_server -www -accept 127.0.0.1:0 -naccept 1 -cert ", File("server.pem"), " -key ",
        File("server.key"), " -cert_chain ", File("server.pem"), " -CAfile ", File("root.pem"),
        " -chainCAfile ", File("root.pem"), " -Verify 3 -verify_return_error -crl_check -CRL ",
        File("crl.pem"), AtTime(), " </dev/null >", File("server.log"), " 2>&1 & server=$!; ");
    const std::string find =
        absl::StrCat("for i in $(seq 500); do port=$(sed -n 's/^ACCEPT .*://p' ",
                     File("server.log"), "); [ -n \"$port\" ] && break; sleep 0.02; done; ");
    const std::string call = absl::StrCat(
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client -quiet -connect "
        "127.0.0.1:$port -CAfile ",
        File("root.pem"), " -cert ", File("host.pem"), " -key ", File("host.key"), " -cert_chain ",
        File("ca.pem"), AtTime(), " >", File("client.log"),
        " 2>&1; timeout 20 tail --pid=$server -f /dev/null; ", "kill $server 2>/dev/null; cat ",
        File("server.log "), File("client.log"));
    return Shell(absl::StrCat("rm -f ", File("server.log"), "; ", serve, find, call));
  };
  EXPECT_THAT(connect().out, AllOf(HasSubstr("200 ok"), Not(HasSubstr("revoked"))));
  Quarantine(who.host);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_THAT(connect().out, AllOf(HasSubstr("certificate revoked"), Not(HasSubstr("200 ok"))));
}

TEST_F(RevocationPeersTest, CurlKeepsAListWhileItHolds) {
  Credentialed who = Admitted("host");
  const std::string list = Url("/crl/" + who.key_id + ".crl");
  const std::string fetch =
      absl::StrCat("curl -sS -o ", File("kept.crl"), " -w '%{http_code}' --etag-save ", File("tag"),
                   " --etag-compare ", File("tag"), " ", list);
  EXPECT_EQ(Shell(fetch).out, "200");
  EXPECT_EQ(Shell(fetch).out, "304");
  Quarantine(who.host);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(Shell(fetch).out, "200");

  const Ran head = Shell(absl::StrCat("curl -sSI ", list));
  EXPECT_THAT(head.out,
              AllOf(HasSubstr("200 OK"), HasSubstr("application/pkix-crl"), HasSubstr("no-cache")));
  EXPECT_THAT(Shell(absl::StrCat("curl -sS -o /dev/null -w '%{http_code}' -X POST ", list)).out,
              "405");
  EXPECT_THAT(Shell(absl::StrCat("curl -sS -o /dev/null -w '%{http_code}' ", Url("/ocsp"))).out,
              "405");
  EXPECT_THAT(
      Shell(absl::StrCat("head -c 200000 /dev/zero | curl -sS -o /dev/null -w '%{http_code}' "
                         "-H 'Content-Type: application/ocsp-request' --data-binary @- ",
                         Url("/ocsp")))
          .out,
      Not(HasSubstr("200")));
}

// GET, as small clients and caches want it: the request in base64 in the path.
TEST_F(RevocationPeersTest, OcspByGet) {
  Credentialed who = Admitted("host");
  Quarantine(who.host);
  const std::string ask = absl::StrCat(
      "openssl ocsp -issuer ", File("ca.pem"), " -serial 0x", who.serial, " -no_nonce -reqout ",
      File("request"), " && curl -sSf -D ", File("head"), " -o ", File("response "), Url("/ocsp/"),
      "$(base64 -w0 ", File("request"),
      " | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g') && openssl ocsp ", "-respin ", File("response"),
      " -issuer ", File("ca.pem"), " -serial 0x", who.serial, " -CAfile ", File("root.pem"),
      " -verify_other ", File("ca.pem"), AtTime(), "; cat ", File("head"));
  EXPECT_THAT(Shell(ask).out,
              AllOf(HasSubstr("Response verify OK"), HasSubstr(": revoked"),
                    HasSubstr("application/ocsp-response"), HasSubstr("max-age=1")));
}

// ---- our own ports

// The connection was made with a certificate that was good; nothing more is taken over it.
TEST_F(RevocationPeersTest, A80_AnOpenConnectionEndsWithTheCredential) {
  Credentialed who = Admitted("host");
  const auto connected = port_.Connect(who.certificate);
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, who.host.Ask(*connected));
  const evidence::Evidence evidence = who.host.Answer(challenge);

  Quarantine(who.host);  // over another channel
  EXPECT_THAT(connected->Submit(evidence), Refuses(Reason::kPeerCertRevoked));
  EXPECT_THAT(who.host.Ask(*connected), Refuses(Reason::kPeerCertRevoked));
  // Without the certificate the host is heard on: its evidence is wanted.
  const auto bare = port_.Connect();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, who.host.Attest(*bare));
  EXPECT_EQ(answer.outcome, "DENY");
}

}  // namespace
}  // namespace bootgate::gate
