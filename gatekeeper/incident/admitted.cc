#include "gatekeeper/incident/admitted.h"

#include <algorithm>

#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"
#include "common/ima/list.h"
#include "gatekeeper/incident/frozen_judgement.h"

namespace bootgate::gatekeeper::incident {
namespace {

constexpr size_t kMaxRemembered = 100'000;  // hosts

void Add(absl::string_view part, Bytes bytes, const store::EvidenceParts& kept,
         AdmittedBook::Change* change) {
  if (bytes.empty()) return;
  std::string digest = crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
  const auto before = kept.find(std::string(part));
  if (before == kept.end() || before->second != digest)
    change->blobs.emplace_back(digest, std::move(bytes));
  change->parts[std::string(part)] = std::move(digest);
}

AdmittedBook::Change ChangeFrom(const evidence::Evidence& evidence,
                                const store::EvidenceParts& kept) {
  AdmittedBook::Change change;
  Add(kBootLogPart, evidence.boot_log, kept, &change);
  Add(kUserLogPart, evidence.user_log, kept, &change);
  Add(kPcrsPart, ToBytes(AsBytes(PcrsJson(evidence.quote.values))), kept, &change);
  const auto files = kept.find(std::string(kImaFilesPart));
  if (evidence.ima.first_entry == 0)
    Add(kImaFilesPart, FilePrints(evidence.ima.before_quote), kept, &change);
  else if (files != kept.end())
    change.parts.insert(*files);
  return change;
}

}  // namespace

FilePrint PrintOf(const ima::Entry& entry) {
  bytes::Writer text;
  text.Raw(AsBytes(entry.path)).U8(0).Raw(AsBytes(entry.digest_name)).U8(0).Raw(entry.file_digest);
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, text.view());
  return bytes::Reader(digest.view()).U64Be().value();
}

Bytes FilePrints(ByteView ima_list) {
  const ima::List list = ima::List::Parse(ima_list);
  std::vector<FilePrint> prints;
  for (const ima::Entry& entry : list.entries()) {
    if (!entry.HoldsBuffer()) prints.push_back(PrintOf(entry));
  }
  std::ranges::sort(prints);
  prints.erase(std::unique(prints.begin(), prints.end()), prints.end());
  bytes::Writer out;
  for (const FilePrint print : prints) out.U64Be(print);
  return ToBytes(out.view());
}

absl::StatusOr<std::vector<FilePrint>> ReadFilePrints(ByteView bytes) {
  if (bytes.size() % kFilePrintSize != 0) return absl::DataLossError("fingerprints are cut");
  std::vector<FilePrint> prints;
  bytes::Reader in(bytes);
  while (in.remaining() > 0) {
    BG_ASSIGN_OR_RETURN(const FilePrint print, in.U64Be());
    prints.push_back(print);
  }
  return prints;
}

absl::StatusOr<std::optional<AdmittedBook::Change>> AdmittedBook::ChangeFor(
    const evidence::Evidence& evidence) {
  if (const auto remembered = Remembered(evidence.host_id); remembered.has_value()) {
    if (ChangeFrom(evidence, *remembered).parts == *remembered) return std::nullopt;
  }
  // Another process may have replaced what was remembered: what is written goes by what is stored.
  BG_ASSIGN_OR_RETURN(const store::EvidenceParts kept, store_.GetEvidence(evidence.host_id));
  Change change = ChangeFrom(evidence, kept);
  if (change.parts != kept) return change;
  Remember(evidence.host_id, kept);
  return std::nullopt;
}

std::optional<store::EvidenceParts> AdmittedBook::Remembered(const std::string& host_id) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(host_id);
  if (found == kept_.end()) return std::nullopt;
  return found->second;
}

void AdmittedBook::Remember(const std::string& host_id, const store::EvidenceParts& parts) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxRemembered) kept_.clear();
  kept_[host_id] = parts;
}

}  // namespace bootgate::gatekeeper::incident
