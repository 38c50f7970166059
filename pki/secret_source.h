// Where a passphrase or a PIN is to be had: a systemd credential, a file, or a person at the
// terminal.
//
// Written as "credential:NAME" (a file of $CREDENTIALS_DIRECTORY, see LoadCredential= in
// systemd.exec (5)), "file:PATH" (0600, absolute), "typed", or nothing at all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/secret_bytes.h"

namespace bootgate::pki {

struct SecretSource {
  enum class Kind { kNone, kCredential, kFile, kTyped };
  Kind kind = Kind::kNone;
  std::string where;  // the credential's name, the file's path

  friend bool operator==(const SecretSource&, const SecretSource&) = default;
};

std::string Text(const SecretSource& source);  // as written; "" for none
// kInvalidArgument says what is allowed.
absl::StatusOr<SecretSource> ParseSecretSource(absl::string_view text);

// The secret without its final line end; `what` is for the question at the terminal. kNone gives an
// empty one. CA_KEY names the source: missing, empty, too long, a file that others may read.
absl::StatusOr<SecretBytes> ReadSecret(const SecretSource& source, const std::string& what);

}  // namespace bootgate::pki
