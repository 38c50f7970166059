#include "common/crypto/owners.h"

#include <openssl/err.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace bootgate::crypto {

absl::Status OpenSslError(absl::StatusCode code, absl::string_view doing) {
  std::string message(doing);
  char text[256];
  while (const unsigned long error =
             ERR_get_error()) {  // NOLINT(google-runtime-int): OpenSSL's type
    ERR_error_string_n(error, text, sizeof text);
    absl::StrAppend(&message, "; ", text);
  }
  return absl::Status(code, message);
}

void ClearOpenSslErrors() { ERR_clear_error(); }

}  // namespace bootgate::crypto
