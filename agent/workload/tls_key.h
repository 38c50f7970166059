// A private key that OpenSSL uses and does not hold: signatures come from a function of ours.
//
// Implements: OpenSSL 3.0 ENGINE and EC_KEY_METHOD. They are deprecated, but gRPC 1.51 takes a
// private key that it does not hold in no other form than "engine:ID:NAME", and one way is enough
// for all. P-256 and SHA-256 alone, as the identity key in the TPM signs; of TLS 1.3 that is
// ecdsa_secp256r1_sha256.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/owners.h"
#include "common/crypto/public_key.h"

namespace bootgate::agent::workload {

class TlsKey {
 public:
  // Signs a SHA-256 digest: ECDSA-Sig-Value, DER. Called from any thread, several at a time.
  using Sign = std::function<absl::StatusOr<Bytes>(const crypto::Digest&)>;

  // Registers a key under a new name. KEY_WEAK: not P-256. kInternal: this OpenSSL has no engines.
  static absl::StatusOr<std::unique_ptr<TlsKey>> Register(const crypto::PublicKey& key, Sign sign);
  // The name is free again; keys that were loaded by it go on working.
  ~TlsKey();
  TlsKey(const TlsKey&) = delete;
  TlsKey& operator=(const TlsKey&) = delete;

  // What gRPC takes in place of a private key in PEM.
  std::string grpc_name() const;
  // What OpenSSL takes.
  absl::StatusOr<crypto::PkeyPtr> Load() const;

 private:
  explicit TlsKey(std::string name) : name_(std::move(name)) {}
  const std::string name_;
};

}  // namespace bootgate::agent::workload
