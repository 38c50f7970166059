#include "agent/app/tpm_key_verbs.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/app/gatekeeper_link.h"
#include "agent/app/host.h"
#include "agent/app/verb_support.h"
#include "agent/workload/tls_pipe.h"
#include "agent/workload/tpm_signer.h"
#include "common/base/clock.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hasher.h"

namespace bootgate::agent::app {
namespace {

constexpr size_t kMaxCaFile = size_t{1} << 20;

// With the TPM and the certificate of this host, which is good now.
absl::StatusOr<std::unique_ptr<workload::TpmSigner>> OpenSigner(const Config& config) {
  auto signer = std::make_unique<workload::TpmSigner>();
  BG_RETURN_IF_ERROR(LoadTpmKey(config, *signer));
  BG_ASSIGN_OR_RETURN(std::unique_ptr<tpm::Tpm> tpm, OpenTpm(config));
  signer->UseTpm(std::move(tpm));
  const absl::Status shown = signer->Show(SystemClock().Now()).status();
  if (absl::IsNotFound(shown))
    return absl::NotFoundError(absl::StrCat(shown.message(), "; attest first"));
  BG_RETURN_IF_ERROR(shown);
  return signer;
}

struct HostAndPort {
  std::string host, port;
};

absl::StatusOr<HostAndPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  HostAndPort out;
  if (colon != std::string::npos) {
    out = {address.substr(0, colon), address.substr(colon + 1)};
    if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
      out.host = out.host.substr(1, out.host.size() - 2);
  }
  if (out.host.empty() || out.port.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(address, 64), "' is not HOST:PORT"));
  }
  return out;
}

absl::Status ConnectWith(const Config& config, const ConnectWords& words) {
  BG_ASSIGN_OR_RETURN(const HostAndPort to, Split(words.address));
  workload::TlsPipeOptions options;
  if (words.ca_file.empty()) {
    BG_ASSIGN_OR_RETURN(const identity::JoinState joined, Joined(config));
    options.ca_pem = joined.ca_pem;
  } else {
    BG_ASSIGN_OR_RETURN(options.ca_pem, ReadTextFile(words.ca_file, kMaxCaFile));
  }
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<workload::TpmSigner> signer, OpenSigner(config));
  BG_ASSIGN_OR_RETURN(const workload::TpmSigner::Shown shown, signer->Show(SystemClock().Now()));
  BG_ASSIGN_OR_RETURN(const crypto::PkeyPtr key, signer->OpenSslKey());
  options.host = to.host;
  options.port = to.port;
  options.server_name = words.server_name.empty() ? to.host : words.server_name;
  options.chain_pem = shown.chain_pem;
  options.key = key.get();
  signal(SIGPIPE, SIG_IGN);  // a server that goes is told by the write
  const absl::Status piped = workload::RunTlsPipe(options, STDIN_FILENO, STDOUT_FILENO);
  // Why the TPM did not sign says more than that the handshake failed.
  return !piped.ok() && signer->failures().count > 0 ? signer->failures().last : piped;
}

absl::StatusOr<crypto::Digest> DigestOfFile(const std::string& path) {
  const Descriptor file(path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return SystemError("open", path, errno);
  crypto::Hasher hasher(crypto::HashAlg::kSha256);
  std::array<uint8_t, 65536> piece;
  for (;;) {
    const ssize_t n = read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", path, errno);
    if (n == 0) return hasher.Finish();
    hasher.Add(ByteView(piece).first(static_cast<size_t>(n)));
  }
}

absl::StatusOr<Bytes> SignFile(const Config& config, const std::string& path) {
  BG_ASSIGN_OR_RETURN(const crypto::Digest digest, DigestOfFile(path));
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<workload::TpmSigner> signer, OpenSigner(config));
  return signer->SignSha256(digest);
}

}  // namespace

ExitCode CredentialConnectVerb(const Config& config, const ConnectWords& words) {
  const absl::Status done = ConnectWith(config, words);
  return done.ok() ? ExitCode::kSuccess : Fail(done);
}

ExitCode CredentialSignVerb(const Config& config, const SignWords& words, OutputFormat format) {
  const absl::StatusOr<Bytes> made = SignFile(config, words.in_file);
  if (!made.ok()) return Fail(made.status());
  if (!words.out_file.empty()) {
    const absl::Status written = WriteFileAtomically(words.out_file, *made, 0644);
    if (!written.ok()) return Fail(written);
  }
  if (format == OutputFormat::kJson) {
    const nlohmann::ordered_json json = {{"signature", ToBase64(*made)}};
    std::cout << json.dump(2) << "\n";
  } else if (words.out_file.empty()) {
    std::cout << AsText(*made);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::agent::app
