#include "gatekeeper/appraisal/ima/facts.h"

#include "absl/strings/match.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/ima/fields.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr uint8_t kForm = 1;  // of the encoding

bool IsModule(absl::string_view path) {
  for (const absl::string_view end : {".ko", ".ko.xz", ".ko.gz", ".ko.zst"}) {
    if (absl::EndsWith(path, end)) return true;
  }
  return false;
}

bool IsPolicyFile(absl::string_view path) {
  return absl::StartsWith(path, "/etc/ima/") || absl::EndsWith(path, "/ima-policy");
}

void AddRecord(const ima::Entry& entry, Facts& facts) {
  if (ima::BufferDigestHolds(entry) != true) return;
  size_t bytes = entry.path.size() + entry.buffer.size();
  for (const KernelRecord& record : facts.records) bytes += record.name.size() + record.data.size();
  if (facts.records.size() >= kMaxRecords || bytes > kMaxRecordBytes) {
    ++facts.left_out;
    return;
  }
  facts.records.push_back({std::string(entry.path), ToBytes(entry.buffer)});
}

}  // namespace

bool IsKeyring(absl::string_view name) {
  for (const absl::string_view keyring :
       {".ima", ".builtin_trusted_keys", ".secondary_trusted_keys", ".machine", ".platform", ".evm",
        ".blacklist", ".builtin_regdb_keys", "_ima", "_evm"}) {
    if (name == keyring) return true;
  }
  return false;
}

absl::string_view TextOf(ByteView data) {
  absl::string_view text = AsText(data);
  if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return text;
}

void AddEntry(const ima::Entry& entry, Facts& facts) {
  if (entry.violation) {
    ++facts.violations;
    return;
  }
  if (entry.file_digest.empty() || entry.path == "boot_aggregate") return;
  if (entry.HoldsBuffer()) {
    AddRecord(entry, facts);
    return;
  }
  ++facts.files;
  if (entry.digest_type == "verity") ++facts.verity_files;
  if (!entry.signature.empty() || !entry.appended_signature.empty()) ++facts.signed_files;
  if (IsModule(entry.path)) ++facts.modules;
  facts.policy_file |= IsPolicyFile(entry.path);
}

Bytes Encode(const Facts& facts) {
  bytes::Writer out;
  out.U8(kForm);
  for (const uint64_t count : {facts.violations, facts.files, facts.verity_files,
                               facts.signed_files, facts.modules, facts.left_out}) {
    out.U64Le(count);
  }
  out.U8(facts.policy_file ? 1 : 0).U32Le(static_cast<uint32_t>(facts.records.size()));
  for (const KernelRecord& record : facts.records) {
    out.U32Le(static_cast<uint32_t>(record.name.size())).Raw(AsBytes(record.name));
    out.U32Le(static_cast<uint32_t>(record.data.size())).Raw(record.data);
  }
  return out.Finish();
}

std::optional<Facts> Decode(ByteView bytes) {
  bytes::Reader in(bytes);
  Facts facts;
  uint8_t form = 0, policy_file = 0;
  if (!in.TryU8(&form) || form != kForm) return std::nullopt;
  for (uint64_t* const count : {&facts.violations, &facts.files, &facts.verity_files,
                                &facts.signed_files, &facts.modules, &facts.left_out}) {
    if (!in.TryU64Le(count)) return std::nullopt;
  }
  uint32_t records = 0;
  if (!in.TryU8(&policy_file) || !in.TryU32Le(&records) || records > kMaxRecords)
    return std::nullopt;
  facts.policy_file = policy_file != 0;
  for (uint32_t i = 0; i < records; ++i) {
    ByteView name, data;
    uint32_t size = 0;
    if (!in.TryU32Le(&size) || !in.TryTake(size, &name)) return std::nullopt;
    if (!in.TryU32Le(&size) || !in.TryTake(size, &data)) return std::nullopt;
    facts.records.push_back({std::string(AsText(name)), ToBytes(data)});
  }
  if (in.remaining() != 0) return std::nullopt;
  return facts;
}

}  // namespace bootgate::gatekeeper::appraisal::ima_list
