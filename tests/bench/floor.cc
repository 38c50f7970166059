// What the arithmetic alone costs, measured beside the operations so that a ratio needs one run:
// the hashing of a boot log and of an IMA list, signatures and key agreement with keys and contexts
// kept.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <functional>

#include "common/base/status_macros.h"
#include "common/crypto/owners.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr size_t kDigest = SHA256_DIGEST_LENGTH;       // bytes
constexpr std::array<uint8_t, 500> kCertificate = {};  // as long as what is signed of one

void Sha256(ByteView bytes, uint8_t* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(out, &context);
}

// Each message hashed, and a register extended with its digest.
void HashAndExtend(const std::vector<ByteView>& messages) {
  std::array<uint8_t, 2 * kDigest> value_and_digest{};
  for (const ByteView message : messages) {
    Sha256(message, value_and_digest.data() + kDigest);
    Sha256(value_and_digest, value_and_digest.data());
  }
}

// A register extended with digests that are at hand.
void ExtendOnly(const std::vector<ByteView>& digests) {
  std::array<uint8_t, 2 * kDigest> value_and_digest{};
  for (const ByteView digest : digests) {
    std::ranges::copy(digest, value_and_digest.begin() + kDigest);
    Sha256(value_and_digest, value_and_digest.data());
  }
}

absl::Status Must(bool done) {
  return done ? absl::OkStatus() : crypto::OpenSslError(absl::StatusCode::kInternal, "floor");
}

using Prepare = int (*)(EVP_PKEY_CTX*);

crypto::PkeyCtxPtr Context(const crypto::PkeyPtr& key, Prepare prepare) {
  crypto::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context != nullptr && prepare(context.get()) != 1) context.reset();
  return context;
}

absl::Status Hashing(const Bytes& log_bytes, const Bytes& list_bytes, absl::string_view count) {
  const eventlog::Log log = eventlog::Log::Parse(log_bytes);
  const ima::List list = ima::List::Parse(list_bytes);
  std::vector<ByteView> events, entries;
  for (const eventlog::Event& event : log.events()) events.push_back(event.data);
  for (const ima::Entry& entry : list.entries()) entries.push_back(entry.template_data);
  const auto hashing = [](const std::vector<ByteView>& messages) {
    return [&messages] {
      HashAndExtend(messages);
      return absl::OkStatus();
    };
  };
  BG_RETURN_IF_ERROR(Repeat("floor-eventlog", count, hashing(events)));
  BG_RETURN_IF_ERROR(Repeat("floor-ima", count, hashing(entries)));
  for (ByteView& entry : entries) entry = entry.first(std::min(entry.size(), kDigest));
  return Repeat("floor-ima-known", count, [&] {
    ExtendOnly(entries);
    return absl::OkStatus();
  });
}

absl::Status Signing(absl::string_view name, const crypto::PkeyPtr& key, absl::string_view count) {
  const crypto::PkeyCtxPtr sign = Context(key, EVP_PKEY_sign_init);
  const crypto::PkeyCtxPtr verify = Context(key, EVP_PKEY_verify_init);
  std::array<uint8_t, kDigest> digest{};
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
  size_t size = signature.size();
  const auto make = [&] {
    size = signature.size();
    Sha256(kCertificate, digest.data());
    return Must(EVP_PKEY_sign(sign.get(), signature.data(), &size, digest.data(), kDigest) == 1);
  };
  const auto check = [&] {
    return Must(EVP_PKEY_verify(verify.get(), signature.data(), size, digest.data(), kDigest) == 1);
  };
  const std::string prefix = std::string("floor-") + std::string(name);
  BG_RETURN_IF_ERROR(Repeat(prefix + "-sign", count, make));
  return Repeat(prefix + "-verify", count, check);
}

absl::Status Oaep(const crypto::PkeyPtr& key, absl::string_view count) {
  const crypto::PkeyCtxPtr context = Context(key, EVP_PKEY_encrypt_init);
  if (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), "SHA2-256", nullptr) != 1) {
    return Must(false);
  }
  const std::array<uint8_t, kDigest> secret{};
  Bytes out(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
  return Repeat("floor-rsa-oaep", count, [&] {
    size_t size = out.size();
    return Must(EVP_PKEY_encrypt(context.get(), out.data(), &size, secret.data(), kDigest) == 1);
  });
}

// A one-time key and the agreement with a peer that was validated before.
absl::Status Agreement(const crypto::PkeyPtr& peer, absl::string_view count) {
  const crypto::PkeyCtxPtr generate = Context(peer, EVP_PKEY_keygen_init);
  std::array<uint8_t, kDigest> z{};
  return Repeat("floor-p256-agree", count, [&] {
    EVP_PKEY* made = nullptr;
    size_t size = z.size();
    if (EVP_PKEY_generate(generate.get(), &made) != 1) return Must(false);
    const crypto::PkeyPtr own(made);
    const crypto::PkeyCtxPtr derive = Context(own, EVP_PKEY_derive_init);
    return Must(EVP_PKEY_derive_set_peer_ex(derive.get(), peer.get(), 0) == 1 &&
                EVP_PKEY_derive(derive.get(), z.data(), &size) == 1);
  });
}

}  // namespace

absl::Status RunFloor(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes log, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[1]));
  const absl::string_view count = arguments[2];
  const crypto::PkeyPtr rsa(EVP_RSA_gen(2048));
  const crypto::PkeyPtr p256(EVP_EC_gen("P-256"));
  if (rsa == nullptr || p256 == nullptr) return Must(false);
  BG_RETURN_IF_ERROR(Hashing(log, list, count));
  BG_RETURN_IF_ERROR(Signing("rsa", rsa, count));
  BG_RETURN_IF_ERROR(Signing("p256", p256, count));
  BG_RETURN_IF_ERROR(Oaep(rsa, count));
  return Agreement(p256, count);
}

}  // namespace bootgate::bench
