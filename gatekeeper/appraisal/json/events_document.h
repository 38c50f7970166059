// The `events` claim as a document: the logs as JSON, made only as far as somebody looks.
//
// Implements: policy language specification, section 6.3.
//
// Made at once: the list, and of each event its numbers and the name of its type. Digests and
// ProcessedData are made when a query reaches into them (architecture page, section 3: JSON over a
// large log is otherwise the dominant cost of an attestation).
//
// Of our own in each event: `DataVerified`, when there is a quote: whether the event's data hashes
// to the digest that replayed to the quoted register. With a quote, `Digests` holds proven digests
// alone, and data that is not verified gives no facts (processed_data.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/crypto/hash.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "gatekeeper/appraisal/json/processed_data.h"
#include "gatekeeper/appraisal/json/values.h"

namespace bootgate::gatekeeper::appraisal::json {

// Registers of one bank whose events the quote proves (bit n: register n).
struct ProvenBank {
  crypto::HashAlg alg = crypto::HashAlg::kSha256;
  uint32_t registers = 0;
};

struct EventsInput {
  // In the order in which they were made; EventSeq counts through all of them.
  std::vector<const eventlog::Log*> boot_logs;
  const ima::List* ima = nullptr;
  size_t ima_entries = 0;  // of them, up to the match with the quoted register 10
  // nullopt: nobody quoted, and nothing is said of what is verified.
  std::optional<std::vector<ProvenBank>> proven;
  // The only types whose events anybody will look at, sorted; nullopt: all. The others are left
  // out; EventSeq counts them.
  std::optional<std::vector<std::string>> types = std::nullopt;
};

// Borrows the logs of its input. The values that it makes borrow it and them: it must outlive their
// arena's use.
class EventsDocument final : public model::ObjectSource {
 public:
  explicit EventsDocument(EventsInput input);

  // {"Events": [...]}
  model::Value Make(model::Arena& arena) const;

  absl::Span<const model::Member> MakeMembers(uint64_t key, model::Arena& arena) const override;

 private:
  bool IsWanted(absl::string_view type) const;
  bool IsWanted(const eventlog::Event& event) const;
  // What one event has and needs: `key` names it.
  struct Place;
  model::Value BootEvent(uint64_t sequence, size_t log, const eventlog::Event& event,
                         model::Arena& arena) const;
  model::Value ImaEvent(uint64_t sequence, size_t number, const ima::Record& record,
                        model::Arena& arena) const;
  void AddDigests(const eventlog::Log& log, const eventlog::Event& event, model::Arena& arena,
                  model::ObjectBuilder& out) const;
  Standing StandingOf(const eventlog::Log& log, const eventlog::Event& event) const;

  const EventsInput input_;
};

}  // namespace bootgate::gatekeeper::appraisal::json
