#include "tests/desk/host.h"

#include <stdlib.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "tests/desk/captured_boot.h"

namespace bootgate::desk {
namespace {

constexpr size_t kMaxDeskFile = 65536;     // bytes
constexpr size_t kMaxSocketInFolder = 90;  // characters; longer folders get a socket in /tmp
constexpr size_t kMaxLiveList = size_t{64} << 20;

std::string DeskFile(const std::string& folder) { return folder + "/desk.json"; }

absl::StatusOr<std::string> SocketFor(const std::string& folder) {
  std::string in_folder = folder + "/tpm.sock";
  if (in_folder.size() <= kMaxSocketInFolder) return in_folder;
  char place[] = "/tmp/bootgate-desk-XXXXXX";
  if (mkdtemp(place) == nullptr) return absl::InternalError("mkdtemp");
  return absl::StrCat(place, "/tpm.sock");
}

nlohmann::json RulesToJson(const std::map<crypto::HashAlg, ima::ExtendRule>& rules) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [alg, rule] : rules) {
    json[std::string(crypto::Name(alg))] = rule == ima::ExtendRule::kPaddedSha1 ? "sha1" : "bank";
  }
  return json;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Up(const HostOptions& options) {
  std::unique_ptr<Host> host(new Host);
  host->folder_ = options.folder;
  host->ca_folder_ = options.ca_folder.empty() ? options.folder + "/ca" : options.ca_folder;
  host->lifetime_ = options.lifetime;
  BG_RETURN_IF_ERROR(MakeFolder(options.folder, 0700));
  BG_RETURN_IF_ERROR(host->StartUp(options.rsa_bits));
  absl::Status booted = host->Boot(options.case_folder);
  if (!booted.ok()) {
    host->Down().IgnoreError();
    return booted;
  }
  return host;
}

absl::Status Host::StartUp(int rsa_bits) {
  const std::string state = folder_ + "/tpm";
  if (!FileExists(state + "/tpm2-00.permall")) {
    const std::string serial = folder_.substr(folder_.rfind('/') + 1);
    BG_RETURN_IF_ERROR(Manufacture(state, ca_folder_, serial, rsa_bits));
  }
  BG_ASSIGN_OR_RETURN(const std::string socket, SocketFor(folder_));
  BG_ASSIGN_OR_RETURN(tpm_, StartTpm(state, socket, lifetime_));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Host>> Host::Attach(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(DeskFile(folder), kMaxDeskFile));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("pid")) {
    return absl::InvalidArgumentError(DeskFile(folder));
  }
  std::unique_ptr<Host> host(new Host);
  host->folder_ = folder;
  host->ca_folder_ = json.at("ca").get<std::string>();
  host->tpm_ = {json.at("pid").get<pid_t>(), json.at("socket").get<std::string>()};
  for (const auto& [name, rule] : json.at("ima_rules").items()) {
    const auto alg = crypto::HashAlgFromName(name);
    if (!alg.has_value()) return absl::InvalidArgumentError(DeskFile(folder));
    host->ima_rules_[*alg] =
        rule == "sha1" ? ima::ExtendRule::kPaddedSha1 : ima::ExtendRule::kBankHash;
  }
  return host;
}

Host::~Host() {
  if (lifetime_ == Lifetime::kWithParent) Down().IgnoreError();
}

absl::StatusOr<std::unique_ptr<agent::tpm::Tpm>> Host::Open() const {
  // An agent may be talking to the same TPM: what it has loaded is left alone.
  return agent::tpm::Tpm::Open({.tcti = tcti(), .leftovers = agent::tpm::Leftovers::kKeep});
}

absl::Status Host::Boot(const std::string& case_folder) {
  BG_ASSIGN_OR_RETURN(const CapturedBoot boot, LoadBoot(case_folder));
  BG_ASSIGN_OR_RETURN(const auto tpm, Open());
  BG_RETURN_IF_ERROR(desk::Replay(boot, *tpm));
  ima_rules_ = boot.ima_rules;
  BG_RETURN_IF_ERROR(WriteFileAtomically(ima_path(), boot.ima, 0600));
  constexpr size_t kBootIdBytes = 16;
  BG_RETURN_IF_ERROR(
      WriteFileAtomically(boot_id_path(), AsBytes(crypto::RandomHex(kBootIdBytes) + "\n"), 0600));
  if (boot.boot_log.empty()) {
    BG_RETURN_IF_ERROR(RemoveFile(boot_log_path()));  // as a kernel without a log: no file
  } else {
    BG_RETURN_IF_ERROR(WriteFileAtomically(boot_log_path(), boot.boot_log, 0600));
  }
  return Save();
}

absl::Status Host::Save() const {
  const nlohmann::json json = {{"pid", tpm_.pid},
                               {"socket", tpm_.socket},
                               {"ca", ca_folder_},
                               {"ima_rules", RulesToJson(ima_rules_)}};
  return WriteFileAtomically(DeskFile(folder_), AsBytes(json.dump(2) + "\n"), 0600);
}

absl::Status Host::Extend(uint32_t register_index, absl::string_view text) {
  BG_ASSIGN_OR_RETURN(const auto tpm, Open());
  std::vector<crypto::Digest> digests;
  for (const auto& [alg, rule] : ima_rules_) digests.push_back(crypto::Hash(alg, AsBytes(text)));
  return tpm->Extend(register_index, digests);
}

absl::Status Host::Measure(absl::string_view path, ByteView content) {
  BG_ASSIGN_OR_RETURN(const auto tpm, Open());
  BG_ASSIGN_OR_RETURN(Bytes list, ReadFile(ima_path(), kMaxLiveList));
  const Bytes entry = ImaEntry(path, content);
  list.insert(list.end(), entry.begin(), entry.end());
  BG_RETURN_IF_ERROR(WriteFileAtomically(ima_path(), list, 0600));
  return ExtendWithIma(entry, ima_rules_, *tpm);
}

absl::Status Host::Reboot(const std::string& case_folder) {
  BG_RETURN_IF_ERROR(RestartTpm(tpm_));
  return Boot(case_folder);
}

absl::Status Host::Down() {
  BG_RETURN_IF_ERROR(StopTpm(tpm_));
  const std::string place = tpm_.socket.substr(0, tpm_.socket.rfind('/'));
  if (place != folder_) rmdir(place.c_str());
  tpm_ = {};
  return RemoveFile(DeskFile(folder_));
}

}  // namespace bootgate::desk
