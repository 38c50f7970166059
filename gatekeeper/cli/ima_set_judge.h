// Judges a list's entries by reference sets and by the keys that signed files, one after the other.
//
// What several sets say counts as one: the best answer, and everything that any of them excludes.
// Findings are bounded, whatever the list; a bad entry does not stop the judging of the next.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/pem_key.h"
#include "common/ima/entry.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/reference/file_signature.h"
#include "gatekeeper/reference/ima_rules.h"
#include "gatekeeper/reference/imaset/excludes.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::cli {

struct ImaJudged {
  size_t entries = 0;
  size_t listed = 0;        // good by a set
  size_t signed_files = 0;  // good by their signature alone
  size_t excluded = 0;      // of paths that a set excludes: not looked up
  size_t violations = 0;
  size_t records = 0;          // of the kernel, that no set lists or excludes by keyring
  size_t other_registers = 0;  // beside PCR 10
  bool aggregate = false;      // boot_aggregate stands first
};

class ImaSetJudge {
 public:
  // `keys`: whose signatures are as good as a listing, but for a file that is outdated; those that
  // the sets name count too. kInvalidArgument names the pattern or key of a set that cannot be
  // used.
  // `algorithms`: of digests; a digest of another one is IMA_DIGEST_ALG, also where a set lists it.
  static absl::StatusOr<std::unique_ptr<ImaSetJudge>> Make(
      std::vector<std::shared_ptr<const reference::ImaSet>> sets, std::vector<crypto::PemKey> keys,
      absl::Time at, std::set<reference::DigestAlg> algorithms = reference::StrongAlgorithms());

  void Judge(const ima::Entry& entry);

  const ImaJudged& judged() const { return judged_; }
  std::vector<Finding> Finish();  // once, at the end

 private:
  struct Answer;

  ImaSetJudge(std::vector<std::shared_ptr<const reference::ImaSet>> sets,
              std::vector<crypto::PemKey> keys, reference::Excludes excludes,
              std::set<std::string> ignored_keyrings, absl::Time at,
              std::set<reference::DigestAlg> algorithms)
      : sets_(std::move(sets)),
        keys_(std::move(keys)),
        excludes_(std::move(excludes)),
        ignored_keyrings_(std::move(ignored_keyrings)),
        at_(at),
        algorithms_(std::move(algorithms)) {}

  void JudgeForm(const ima::Entry& entry);
  void JudgeRecord(const ima::Entry& entry);
  void JudgeFile(const ima::Entry& entry);
  std::optional<reference::DigestAlg> AllowedAlgorithm(const ima::Entry& entry);
  Answer Ask(const reference::SetQuery& query) const;
  bool PassesBySignature(const ima::Entry& entry);
  void ReportAnswer(const ima::Entry& entry, const Answer& answer);
  std::string Known(absl::string_view path) const;
  // The finding to be filled in; nullptr when there were enough of the kind.
  Finding* Report(Reason code, const ima::Entry& entry, absl::string_view text);

  const std::vector<std::shared_ptr<const reference::ImaSet>> sets_;
  const reference::SigningKeys keys_;
  const reference::Excludes excludes_;
  const std::set<std::string> ignored_keyrings_;
  const absl::Time at_;
  const std::set<reference::DigestAlg> algorithms_;
  ImaJudged judged_;
  BoundedFindings bound_;
  bool legacy_said_ = false;
  std::vector<Finding> findings_;
};

}  // namespace bootgate::gatekeeper::cli
