// What a host was last admitted with: the other side of "what has changed since?".
//
// Kept are boot log, user log, quoted registers but PCR 10, and fingerprints of the files that the
// last whole IMA list named; how many entries were admitted since stands in the host's cursor. All
// of it is written when it has changed, which is at a new boot or when a whole list comes: the
// steady path writes and reads nothing.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/evidence/evidence.h"
#include "common/ima/entry.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

// What a file measured by IMA is known by: 8 bytes of SHA-256 over path and digest. Enough to tell
// whether it was there before, of no use to learn what it was.
inline constexpr size_t kFilePrintSize = 8;
using FilePrint = uint64_t;
FilePrint PrintOf(const ima::Entry& entry);

// Sorted, none twice, one after the other in big endian. Of a list of at most ima::kMaxEntries.
Bytes FilePrints(ByteView ima_list);
// kDataLoss: no such bytes.
absl::StatusOr<std::vector<FilePrint>> ReadFilePrints(ByteView bytes);

// Any thread.
class AdmittedBook {
 public:
  explicit AdmittedBook(store::Store& store) : store_(store) {}

  struct Change {
    store::EvidenceParts parts;                        // all of them, for Commit.admitted_evidence
    std::vector<std::pair<std::string, Bytes>> blobs;  // of those that are new
  };
  // nullopt: what is kept is just this.
  absl::StatusOr<std::optional<Change>> ChangeFor(const evidence::Evidence& evidence);

  // Once the commit with `parts` is durable.
  void Remember(const std::string& host_id, const store::EvidenceParts& parts);

 private:
  std::optional<store::EvidenceParts> Remembered(const std::string& host_id);

  store::Store& store_;
  std::mutex mutex_;
  std::map<std::string, store::EvidenceParts> kept_;  // bounded: dropped as a whole when full
};

}  // namespace bootgate::gatekeeper::incident
