#include "tests/desk/captured_boot.h"

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/eventlog/log.h"

namespace bootgate::desk {
namespace {

constexpr size_t kMaxCaseFile = size_t{32} << 20;  // bytes
constexpr uint32_t kImaRegister = 10;

absl::StatusOr<Bytes> ReadOptional(const std::string& path) {
  absl::StatusOr<Bytes> bytes = ReadFile(path, kMaxCaseFile);
  if (absl::IsNotFound(bytes.status())) return Bytes();
  return bytes;
}

absl::StatusOr<registers::RegisterBank> ReadBank(const std::string& name,
                                                 const nlohmann::json& values) {
  const auto alg = crypto::HashAlgFromName(name);
  if (!alg.has_value()) return absl::InvalidArgumentError(absl::StrCat("unknown bank ", name));
  registers::RegisterBank bank(*alg);
  for (const auto& [index_text, hex] : values.items()) {
    uint32_t index = 0;
    if (!absl::SimpleAtoi(index_text, &index)) return absl::InvalidArgumentError(index_text);
    BG_ASSIGN_OR_RETURN(const Bytes bytes, FromHex(hex.get<std::string>()));
    BG_ASSIGN_OR_RETURN(const crypto::Digest value, crypto::Digest::From(*alg, bytes));
    bank.Set(index, value);
  }
  return bank;
}

absl::StatusOr<std::vector<registers::RegisterBank>> ReadPcrs(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxCaseFile));
  const nlohmann::json pcrs = nlohmann::json::parse(text, nullptr, false);
  if (!pcrs.is_object()) return absl::InvalidArgumentError(absl::StrCat(path, ": not JSON"));
  std::vector<registers::RegisterBank> banks;
  for (const auto& [name, values] : pcrs.items()) {
    BG_ASSIGN_OR_RETURN(registers::RegisterBank bank, ReadBank(name, values));
    banks.push_back(std::move(bank));
  }
  return banks;
}

// Finds how far the list goes into the registers, and by which rule in each bank.
absl::Status MatchIma(CapturedBoot& boot) {
  const ima::List list = ima::List::Parse(boot.ima);
  size_t entries = 0;
  for (const registers::RegisterBank& bank : boot.registers) {
    const auto quoted = bank.Get(kImaRegister);
    const crypto::Digest zeros(bank.alg());
    const auto match = quoted.has_value() ? ima::FindMatch(list, zeros, *quoted, 0) : std::nullopt;
    if (!match.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the IMA list does not lead to PCR 10 of ", crypto::Name(bank.alg())));
    }
    boot.ima_rules[bank.alg()] = match->rule;
    entries = match->entries;
  }
  if (entries < list.entries().size()) boot.ima.resize(list.entries()[entries].offset);
  return absl::OkStatus();
}

absl::Status ExtendWithBootLog(ByteView bytes, const std::vector<registers::RegisterBank>& banks,
                               agent::tpm::Tpm& tpm) {
  const eventlog::Log log = eventlog::Log::Parse(bytes);
  for (const eventlog::Event& event : log.events()) {
    if (event.untrusted_type == eventlog::kEvNoAction) continue;
    std::vector<crypto::Digest> digests;
    for (const registers::RegisterBank& bank : banks) {
      const auto digest = log.DigestOf(event, bank.alg());
      if (!digest.has_value()) continue;
      BG_ASSIGN_OR_RETURN(digests.emplace_back(), crypto::Digest::From(bank.alg(), *digest));
    }
    BG_RETURN_IF_ERROR(tpm.Extend(event.register_index, digests));
  }
  return absl::OkStatus();
}

absl::Status CompareRegisters(const CapturedBoot& boot, agent::tpm::Tpm& tpm) {
  registers::Selection selection;
  for (const registers::RegisterBank& bank : boot.registers) {
    selection.push_back({bank.alg(), bank.mask()});
  }
  BG_ASSIGN_OR_RETURN(const auto banks, tpm.ReadRegisters(selection));
  for (size_t i = 0; i < banks.size(); ++i) {
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      if (banks[i].Get(index) == boot.registers[i].Get(index)) continue;
      return absl::InternalError(absl::StrCat("after the replay ", crypto::Name(banks[i].alg()),
                                              ":", index, " is not that of the case"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CapturedBoot> LoadBoot(const std::string& folder) {
  CapturedBoot boot;
  BG_ASSIGN_OR_RETURN(boot.boot_log, ReadOptional(folder + "/eventlog.bin"));
  BG_ASSIGN_OR_RETURN(boot.ima, ReadOptional(folder + "/ima.bin"));
  BG_ASSIGN_OR_RETURN(boot.registers, ReadPcrs(folder + "/pcrs.json"));
  BG_RETURN_IF_ERROR(MatchIma(boot));
  return boot;
}

absl::Status ExtendWithIma(ByteView entries,
                           const std::map<crypto::HashAlg, ima::ExtendRule>& rules,
                           agent::tpm::Tpm& tpm) {
  const ima::List list = ima::List::Parse(entries);
  for (const ima::Entry& entry : list.entries()) {
    std::vector<crypto::Digest> digests;
    for (const auto& [alg, rule] : rules) digests.push_back(ima::ExtendDigest(entry, alg, rule));
    BG_RETURN_IF_ERROR(tpm.Extend(entry.register_index, digests));
  }
  return absl::OkStatus();
}

absl::Status Replay(const CapturedBoot& boot, agent::tpm::Tpm& tpm) {
  BG_RETURN_IF_ERROR(ExtendWithBootLog(boot.boot_log, boot.registers, tpm));
  BG_RETURN_IF_ERROR(ExtendWithIma(boot.ima, boot.ima_rules, tpm));
  return CompareRegisters(boot, tpm);
}

Bytes ImaEntry(absl::string_view path, ByteView content) {
  return ImaEntryOf(path, crypto::Hash(crypto::HashAlg::kSha256, content));
}

Bytes ImaEntryOf(absl::string_view path, const crypto::Digest& file) {
  constexpr absl::string_view kTemplate = "ima-ng";
  bytes::Writer data;
  data.U32Le(static_cast<uint32_t>(8 + file.size()));  // "sha256:" and a NUL, then the digest
  data.Raw(AsBytes("sha256:")).U8(0).Raw(file.view());
  data.U32Le(static_cast<uint32_t>(path.size() + 1)).Raw(AsBytes(path)).U8(0);
  bytes::Writer entry;
  entry.U32Le(kImaRegister).Raw(crypto::Hash(crypto::HashAlg::kSha1, data.view()).view());
  entry.U32Le(static_cast<uint32_t>(kTemplate.size())).Raw(AsBytes(kTemplate));
  entry.U32Le(static_cast<uint32_t>(data.view().size())).Raw(data.view());
  return entry.Finish();
}

}  // namespace bootgate::desk
