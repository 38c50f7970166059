// Findings about single events, bounded: a log may repeat one offence sixty thousand times.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// The first findings of each code in full, the rest as a count when it goes out of scope.
class EventNotes {
 public:
  static constexpr size_t kMaxPerCode = 100;

  explicit EventNotes(Notes& notes) : notes_(notes) {}
  EventNotes(const EventNotes&) = delete;
  EventNotes& operator=(const EventNotes&) = delete;
  ~EventNotes() { Close(); }

  void Say(Reason code, Severity severity, const eventlog::Event& event, std::string text) {
    Count& count = counts_[code];
    count.worst = std::max(count.worst, severity);
    if (++count.said > kMaxPerCode) return;
    Finding& finding = notes_.Add(code, severity, std::move(text));
    finding.register_index = event.register_index;
    finding.event = event.number;
  }

 private:
  struct Count {
    size_t said = 0;
    Severity worst = Severity::kInfo;
  };

  void Close() {
    for (const auto& [code, count] : counts_) {
      if (count.said <= kMaxPerCode) continue;
      notes_.Add(code, count.worst,
                 absl::StrCat("and ", count.said - kMaxPerCode, " more findings of this kind"));
    }
  }

  Notes& notes_;
  std::map<Reason, Count> counts_;
};

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
