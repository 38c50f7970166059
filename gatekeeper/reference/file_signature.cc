#include "gatekeeper/reference/file_signature.h"

#include <algorithm>
#include <utility>

#include "common/bytes/reader.h"
#include "common/crypto/cms.h"
#include "common/crypto/key_id.h"
#include "common/ima/fields.h"
#include "gatekeeper/reference/imaset/digest_alg.h"

namespace bootgate::gatekeeper::reference {
namespace {

using crypto::Digest;
using crypto::HashAlg;

constexpr size_t kShortId = 4;                          // bytes
constexpr uint8_t kOfContent = 0x03, kOfVerity = 0x06;  // EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG
constexpr size_t kMaxSameName = 4;                      // keys tried for one signature

struct Header {
  uint8_t type = 0, version = 0, alg = 0;
  ByteView key_id;
  ByteView signature;
};

bool ReadHeader(ByteView field, Header* out) {
  bytes::Reader in(field);
  ByteView size;
  return in.TryU8(&out->type) && in.TryU8(&out->version) && in.TryU8(&out->alg) &&
         in.TryTake(kShortId, &out->key_id) && in.TryTake(2, &size) &&
         in.TryTake(static_cast<size_t>(size[0]) << 8 | size[1], &out->signature) &&
         in.remaining() == 0;
}

std::optional<HashAlg> AlgOf(uint8_t number) {
  const std::optional<DigestAlg> alg = DigestAlgFromNumber(number);
  return alg.has_value() ? ima::DigestAlg(NameOf(*alg)) : std::nullopt;
}

// What was signed. Version 2: the file's digest. Version 3: the hash over type, algorithm and
// digest, so that a signature of one kind cannot stand for another.
std::optional<Digest> SignedDigest(const ima::Entry& entry, const Header& header) {
  const std::optional<HashAlg> alg = AlgOf(header.alg);
  if (!alg.has_value() || ima::DigestAlg(entry.digest_name) != alg) return std::nullopt;
  const absl::StatusOr<Digest> digest = Digest::From(*alg, entry.file_digest);
  if (!digest.ok()) return std::nullopt;
  const bool verity = entry.digest_type == "verity";
  if (header.type != (verity ? kOfVerity : kOfContent)) return std::nullopt;
  if (header.version == 2 && !verity) return *digest;
  if (header.version != 3) return std::nullopt;
  const uint8_t id[] = {header.type, header.alg};
  return crypto::Hash(*alg, {ByteView(id), digest->view()});
}

SignatureAnswer CheckField(const ima::Entry& entry, const SigningKeys& keys) {
  if (entry.signature.empty()) return SignatureAnswer::kNone;
  Header header;
  if (!ReadHeader(entry.signature, &header)) return SignatureAnswer::kUnreadable;
  const std::vector<const crypto::PemKey*> named = keys.Named(header.key_id);
  if (named.empty()) return SignatureAnswer::kUnknownKey;
  const std::optional<Digest> digest = SignedDigest(entry, header);
  if (!digest.has_value()) return SignatureAnswer::kUnreadable;
  for (const crypto::PemKey* const key : named) {
    const auto scheme = key->key.kind() == crypto::PublicKey::Kind::kRsa
                            ? crypto::SignatureScheme::kRsassa
                            : crypto::SignatureScheme::kEcdsa;
    if (key->key.Verify(scheme, *digest, header.signature).ok()) return SignatureAnswer::kGood;
  }
  return SignatureAnswer::kBad;
}

SignatureAnswer CheckAppended(const ima::Entry& entry, const SigningKeys& keys) {
  if (entry.appended_signature.empty()) return SignatureAnswer::kNone;
  const auto alg = ima::DigestAlg(entry.appended_digest_name);
  if (!alg.has_value()) return SignatureAnswer::kUnreadable;
  const absl::StatusOr<Digest> digest = Digest::From(*alg, entry.appended_digest);
  if (!digest.ok()) return SignatureAnswer::kUnreadable;
  const absl::Status checked =
      crypto::VerifyCmsOverDigest(entry.appended_signature, *digest, keys.all());
  if (checked.ok()) return SignatureAnswer::kGood;
  return absl::IsUnauthenticated(checked) ? SignatureAnswer::kUnknownKey
                                          : SignatureAnswer::kUnreadable;
}

}  // namespace

SigningKeys::SigningKeys(std::vector<crypto::PemKey> keys) : keys_(std::move(keys)) {
  for (size_t i = 0; i < keys_.size(); ++i) {
    for (const Bytes& id : crypto::KeyIds(keys_[i])) {
      if (id.size() >= kShortId) by_short_id_.emplace(ToBytes(ByteView(id).last(kShortId)), i);
    }
  }
}

std::vector<const crypto::PemKey*> SigningKeys::Named(ByteView short_id) const {
  std::vector<const crypto::PemKey*> out;
  const auto [begin, end] = by_short_id_.equal_range(ToBytes(short_id));
  for (auto it = begin; it != end && out.size() < kMaxSameName; ++it) {
    const crypto::PemKey* const key = &keys_[it->second];
    if (std::ranges::find(out, key) == out.end()) out.push_back(key);
  }
  return out;
}

SignatureAnswer CheckSignature(const ima::Entry& entry, const SigningKeys& keys) {
  const SignatureAnswer field = CheckField(entry, keys);
  if (field == SignatureAnswer::kGood) return field;
  return std::max(field, CheckAppended(entry, keys));
}

}  // namespace bootgate::gatekeeper::reference
