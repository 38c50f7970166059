// What EK and AK certificates of others have in common: where they come from, and how they are
// read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

struct ForeignLeaf {
  crypto::X509Ptr certificate;
  std::vector<std::string> tolerances;  // one sentence each
};

// The certificate out of what an NV index or a file held. Behind its end only 0x00 and 0xff may
// follow, and that they did is a tolerance. `what`: "EK certificate", for messages. CERT_PARSE.
absl::StatusOr<ForeignLeaf> ParseForeignLeaf(ByteView nv_contents, absl::string_view what);

// No critical extension that nobody knows, none twice. `reason` with the extension's number.
absl::Status CheckExtensions(const X509* certificate, Reason reason);

// The extended key usages by their numbers; nullopt when there is no such extension, `reason` when
// it is malformed or empty.
absl::StatusOr<std::optional<std::vector<std::string>>> PurposesOf(const X509* certificate,
                                                                   Reason reason);

// "manufacturer id:..., model ..., version ..." from the directoryName; the subject when there is
// none.
std::string TpmText(const X509* certificate);

}  // namespace bootgate::pki
