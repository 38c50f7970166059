// The registers after a planned change: the log's story with some digests replaced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::diagnosis {

// The digest that an event will have.
struct Replacement {
  uint32_t event = 0;                   // number in the log
  std::optional<crypto::HashAlg> bank;  // none: the log's bank of this digest size
  Bytes digest;
};

// "45=HEX", or "45=sha384:HEX". kInvalidArgument names what is wrong.
absl::StatusOr<Replacement> ParseReplacement(absl::string_view text);

struct Prediction {
  crypto::HashAlg bank = crypto::HashAlg::kSha256;
  uint32_t register_index = 0;
  crypto::Digest before, after;
};

struct Predictions {
  std::vector<Prediction> registers;  // all that the log tells of, in the banks that were given
  // Banks of the log in which some event got a new digest elsewhere but not here.
  std::vector<crypto::HashAlg> incomplete;
};

// kInvalidArgument: no such event, an event that extends nothing, a digest whose size is no bank's
// of the log or of two of them, one event and bank given twice.
absl::StatusOr<Predictions> Predict(const eventlog::Log& log,
                                    const std::vector<Replacement>& replacements);

}  // namespace bootgate::gatekeeper::diagnosis
