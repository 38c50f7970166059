// Between the wire's messages and our own types, for the agents' port. Sizes are checked here.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/evidence/evidence.h"
#include "common/ima/digests_at.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/enroll/enroller.h"
#include "gatekeeper/service/byte_budget.h"
#include "gatekeeper/session/entry_book.h"

namespace bootgate::v1 {
class BeginEnrollmentRequest;
class BeginEnrollmentResponse;
class Challenge;
class Chunk;
class CompleteEnrollmentRequest;
class CompleteEnrollmentResponse;
class EvidenceHeader;
class JwtSvidResponse;
class KnownEntriesRequest;
class Standing;
class SubmitResponse;
}  // namespace bootgate::v1

namespace bootgate::gatekeeper::service {

// MESSAGE_TOO_LARGE names the part.
absl::StatusOr<enroll::BeginRequest> Decode(const v1::BeginEnrollmentRequest& message);
absl::StatusOr<enroll::CompleteRequest> Decode(const v1::CompleteEnrollmentRequest& message);
void Encode(const enroll::ActivationChallenge& challenge, v1::BeginEnrollmentResponse* message);

// A host that has just enrolled, and what it is told.
struct Enrolled {
  const host::HostRecord& host;
  std::string cluster_id;
  std::string ca_chain_pem;
};
void Encode(const Enrolled& enrolled, v1::CompleteEnrollmentResponse* message);
void Encode(const admission::Challenge& challenge, v1::Challenge* message);
// At most kMaxDisclosed findings: the answer to the worst boot still fits into the agent's bound.
inline constexpr size_t kMaxDisclosed = 100;
void Encode(const admission::Decision& decision, v1::SubmitResponse* message);

void Encode(const admission::Standing& standing, v1::Standing* message);

void Encode(const token::JwtSvid& made, v1::JwtSvidResponse* message);

// The names in it: at most kMaxNames, whole.
inline constexpr size_t kMaxNames = 16384;
absl::StatusOr<ByteView> NamesIn(const v1::KnownEntriesRequest& message);

// How large each part may be, in bytes.
struct EvidenceLimits {
  size_t boot_log = 0, user_log = 0, ima = 0;

  size_t Sum() const { return boot_log + user_log + ima; }
};

// Puts evidence together from a header and chunks, within limits.
class EvidenceAssembler {
 public:
  EvidenceAssembler(const EvidenceLimits& limits, ByteBudget& budget)
      : limits_(limits), share_(budget) {}

  // MESSAGE_MALFORMED: header twice, chunk before the header, kind unknown. MESSAGE_TOO_LARGE: a
  // part or the whole is larger than allowed. TOO_MANY_REQUESTS: others hold the memory; try again.
  absl::Status Add(const v1::EvidenceHeader& header);
  absl::Status Add(const v1::Chunk& chunk);
  // Did all of it arrive? MESSAGE_MALFORMED when not. gRPC tells a stream that broke off from one
  // that ended only by a race, and what a cut connection leaves must not count against the host.
  absl::Status CheckWhole() const;
  // Puts the records in the place of names, where the list came in the mixed form; once, when all
  // has arrived. RETRY_RESYNC: a name is not known (any more), so that all is to be sent in full.
  // MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
  absl::Status Rebuild(const session::EntryBook& book);

  const evidence::Evidence& evidence() const { return evidence_; }
  // Of the entries that came by name, as the book has them.
  const ima::DigestsAt& known_templates() const { return known_templates_; }

 private:
  absl::Status AppendKnown(const session::EntryBook& book, ByteView names);
  absl::Status AppendToList(ByteView record);
  absl::Status Append(ByteView data, size_t limit, size_t other, const char* what, Bytes* out);

  const EvidenceLimits limits_;
  ByteBudget::Share share_;
  bool has_header_ = false;
  uint64_t announced_ = 0, arrived_ = 0;  // bytes in chunks
  evidence::Evidence evidence_;
  ima::DigestsAt known_templates_;
  Bytes mixed_;  // the IMA list before the quote as it came, some entries by name alone
};

}  // namespace bootgate::gatekeeper::service
