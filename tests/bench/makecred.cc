// A 32-byte secret wrapped to an endorsement key: import of the key, seed, both derivations, MAC.
#include "common/base/status_macros.h"
#include "common/tpm2/wrap.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {

absl::Status RunMakeCredential(const Arguments& arguments) {
  constexpr size_t kSecretBytes = 32;
  constexpr size_t kNameBytes = 34;  // SHA-256 name
  BG_ASSIGN_OR_RETURN(const Bytes file, Load(arguments[0]));
  const SecretBytes secret(kSecretBytes);
  const Bytes name(kNameBytes, 0x5a);
  return Repeat("makecred", arguments[1], [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpm2b(file));
    return tpm2::MakeCredential(ek, name, secret).status();
  });
}

}  // namespace bootgate::bench
