// What the configuration names for judging EKs: certificates and revocation lists, in files and
// folders.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bootgate::gatekeeper::enroll {

struct NamedText {
  std::string file;
  std::string text;
};

// Each path is a file, or a folder of which every file with one of `endings` is read, in order of
// name; nothing below it. Errors name the file; kInvalidArgument: a folder without any such file.
absl::StatusOr<std::vector<NamedText>> ReadFilesAndFolders(const std::vector<std::string>& paths,
                                                           const std::vector<std::string>& endings,
                                                           size_t max_bytes);

inline const std::vector<std::string>& CertificateEndings() {
  static const std::vector<std::string> kEndings = {".pem", ".crt", ".cer"};
  return kEndings;
}
inline const std::vector<std::string>& CrlEndings() {
  static const std::vector<std::string> kEndings = {".crl", ".pem"};
  return kEndings;
}

}  // namespace bootgate::gatekeeper::enroll
