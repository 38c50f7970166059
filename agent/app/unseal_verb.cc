// `credential unseal`: what this host holds, opened by its TPM in the state it is in.
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/app/attest.h"
#include "agent/app/host.h"
#include "agent/app/verb_support.h"
#include "agent/app/verbs.h"
#include "agent/identity/boot_secrets.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/plaintext.h"
#include "agent/identity/stored_credential.h"
#include "agent/identity/unseal.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

using nlohmann::ordered_json;

// One of the two things that a host may hold: not held, opened, or why not.
struct Part {
  bool held = false;
  absl::Status status = absl::OkStatus();
  std::vector<std::string> secrets;  // names of what was installed

  bool opened() const { return held && status.ok(); }
};

std::vector<std::string> NamesOf(const evidence::Secrets& secrets) {
  std::vector<std::string> names;
  for (const auto& [name, value] : secrets) names.push_back(name);
  return names;
}

// Opens and installs; `held` false where nothing is kept.
template <typename Load, typename Open>
Part OpenPart(Load load, Open open) {
  Part part;
  const auto kept = load();
  if (absl::IsNotFound(kept.status())) return part;
  part.held = true;
  part.status = kept.status();
  if (part.status.ok()) part.status = open(*kept, &part.secrets);
  return part;
}

Part OpenBootSecrets(const Config& config, const identity::JoinState& joined, tpm::Tpm& tpm,
                     const std::string& target) {
  return OpenPart(
      [&] { return identity::LoadBootSecrets(config.state_folder); },
      [&](const evidence::BootSecrets& kept, std::vector<std::string>* names) -> absl::Status {
        if (config.require_tmpfs) BG_RETURN_IF_ERROR(identity::RequireMemory(target));
        BG_ASSIGN_OR_RETURN(const evidence::Secrets secrets,
                            identity::UnsealBootSecrets(tpm, joined, kept));
        *names = NamesOf(secrets);
        return identity::InstallSecrets(target, secrets);
      });
}

Part OpenCredential(const Config& config, const identity::JoinState& joined, tpm::Tpm& tpm,
                    const std::string& target) {
  return OpenPart(
      [&] { return identity::LoadStoredCredential(config.state_folder); },
      [&](const identity::StoredCredential& kept, std::vector<std::string>* names) -> absl::Status {
        if (SystemClock().Now() >= kept.not_after) {
          return absl::FailedPreconditionError(absl::StrCat(
              "the credential expired at ", FormatUtc(kept.not_after), "; attest again"));
        }
        BG_ASSIGN_OR_RETURN(const evidence::SealedPayload payload,
                            UnsealInto(config, target, joined, tpm, kept));
        *names = NamesOf(payload.secrets);
        return absl::OkStatus();
      });
}

void Print(const Part& boot, const Part& credential, const std::string& target,
           OutputFormat format) {
  std::vector<std::string> secrets = credential.opened() ? credential.secrets : boot.secrets;
  if (format == OutputFormat::kJson) {
    ordered_json json = ordered_json::object();
    if (credential.opened()) {
      json["certificate"] = target + "/cert.pem";
      json["key"] = target + "/key.pem";
    }
    json["secrets"] = secrets.size();
    json["boot_secrets_opened"] = boot.opened();
    std::cout << json.dump(2) << "\n";
    return;
  }
  if (credential.opened()) {
    std::cout << "unsealed on this TPM: " << target << "/cert.pem, " << target << "/key.pem\n";
  }
  for (const std::string& name : secrets) {
    std::cout << "unsealed on this TPM: " << target << "/secrets/" << name << "\n";
  }
}

ExitCode Result(const Part& boot, const Part& credential) {
  std::optional<ExitCode> failed;
  for (const Part* part : {&boot, &credential}) {
    if (part->held && !part->status.ok()) failed = Fail(part->status);
  }
  if (!failed.has_value()) return ExitCode::kSuccess;
  return boot.opened() || credential.opened() ? ExitCode::kPartial : *failed;
}

}  // namespace

ExitCode CredentialUnsealVerb(const Config& config, UnsealWhat what, const std::string& folder,
                              OutputFormat format) {
  const absl::StatusOr<identity::JoinState> joined = Joined(config);
  if (!joined.ok()) return Fail(joined.status());
  const std::string target = folder.empty() ? config.runtime_folder : folder;
  if (config.require_tmpfs) {
    const absl::Status place = identity::RequireMemory(target);
    if (!place.ok()) return Fail(place);
  }
  const absl::StatusOr<std::unique_ptr<tpm::Tpm>> tpm = OpenTpm(config);
  if (!tpm.ok()) return Fail(tpm.status());
  // The credential's opening ends with the cap, after which the secrets would not open any more.
  const Part boot = OpenBootSecrets(config, *joined, **tpm, target);
  const Part credential =
      what == UnsealWhat::kAll ? OpenCredential(config, *joined, **tpm, target) : Part();
  if (!boot.held && !credential.held) {
    return Fail(absl::NotFoundError(what == UnsealWhat::kAll
                                        ? "this host holds no sealed credential; attest first"
                                        : "this host holds no boot secrets; the gatekeeper sends "
                                          "them when it has one for this host"));
  }
  if (boot.opened() || credential.opened()) Print(boot, credential, target, format);
  return Result(boot, credential);
}

}  // namespace bootgate::agent::app
