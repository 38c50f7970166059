// Tokens for admitted hosts: decided before the verdict is committed, signed after.
//
// Implements: the policy language specification, section 8.1. Whoever makes a plan has an ADMIT in
// hand and may give the host credentials now; there are no unsigned tokens here at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/token/key_ring.h"

namespace bootgate::gatekeeper::token {

inline constexpr char kKeySetPath[] = "/certs";

// An admitted host, and what its policy issued. Borrows.
struct Admitted {
  absl::Time now;
  absl::string_view policy_text;
  absl::string_view policy_signer_json;  // empty: the policy was not signed
  ByteView rp_data;
  std::string request_key_json, other_keys_json;  // see Contents
  const std::vector<Claim>& outgoing;
  const std::vector<Claim>& properties;
};

// A token to be: everything but the signature. Holding one is the proof that its key stays
// published as long as it is valid.
class Plan {
 public:
  const std::string& jti() const { return jti_; }
  const std::string& kid() const { return key_.info.kid; }
  absl::Time expires_at() const { return key_.expires; }

 private:
  friend class Issuer;
  explicit Plan(SigningKey key) : key_(std::move(key)) {}
  SigningKey key_;
  std::string jti_, payload_;
  jose::JwsHeader header_;
};

// Any thread.
class Issuer {
 public:
  // `url`: what tokens name as `iss`; its key set is at `url` and kKeySetPath.
  Issuer(std::string url, KeyRing& keys) : url_(std::move(url)), keys_(keys) {}

  // kResourceExhausted: the claims are too long for a token. Errors of KeyRing::KeyFor.
  absl::StatusOr<Plan> PlanToken(const Admitted& host);
  // Call once, after the plan was committed. Counted.
  absl::StatusOr<std::string> Issue(const Plan& plan);

  const std::string& url() const { return url_; }
  std::string key_set_url() const { return url_ + kKeySetPath; }
  KeyRing& keys() { return keys_; }
  int64_t issued() const { return issued_; }  // since the start

 private:
  const std::string url_;
  KeyRing& keys_;
  std::atomic<int64_t> issued_{0};
};

}  // namespace bootgate::gatekeeper::token
