// What an attestation is asked to carry beside the logs, from the words of the command line.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/evidence/evidence.h"
#include "common/registers/selection.h"

namespace bootgate::agent::app {

struct AttestRequest {
  evidence::Statement statement;
  // Further keys of the TPM, each under PolicyPCR over these registers.
  std::vector<registers::Selection> other_keys;
  bool want_token = false;
};

// As given; empty texts: not given.
struct RequestWords {
  std::vector<std::string> strings, integers, booleans;  // custom claims: NAME=VALUE
  std::string key_file;                                  // holds a JWK
  std::string rp_data_hex, rp_data_file;                 // one of them at most
  std::vector<std::string> other_keys;                   // "sha256:7", ...
};

// kInvalidArgument names the word; errors of reading the files.
absl::StatusOr<AttestRequest> RequestOf(const RequestWords& words);

}  // namespace bootgate::agent::app
