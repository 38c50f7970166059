// Trust anchors from files and folders, as configuration names them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pki/trust_anchors.h"

namespace bootgate::pki {

// Each path is a PEM file, or a folder: then every file in it that ends in ".pem" (in folders below
// none: what lies there is a decision of its own). Errors name the path; a folder without such a
// file is kNotFound, the others as in TrustAnchors::Add.
absl::StatusOr<TrustAnchors> ReadTrustAnchors(const std::vector<std::string>& paths);

}  // namespace bootgate::pki
