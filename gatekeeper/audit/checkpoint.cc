#include "gatekeeper/audit/checkpoint.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"
#include "common/crypto/pem_key.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr absl::string_view kPurpose = "bootgate/v1/audit-checkpoint";

crypto::Digest DigestOf(int64_t sequence, absl::Time at, ByteView chain) {
  bytes::Writer fields;
  fields.Sized32Be(AsBytes(kPurpose))
      .U64Be(static_cast<uint64_t>(sequence))
      .U64Be(static_cast<uint64_t>(absl::ToUnixNanos(at)))
      .Sized32Be(chain);
  return crypto::Hash(crypto::HashAlg::kSha256, fields.view());
}

}  // namespace

std::string CheckpointKeyId(const crypto::PublicKey& key) {
  return crypto::Hash(crypto::HashAlg::kSha256, key.SpkiDer()).hex();
}

absl::StatusOr<CheckpointKeys> CheckpointKeysFromPem(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(std::vector<crypto::PemKey> keys, crypto::KeysFromPem(pem));
  CheckpointKeys out;
  for (crypto::PemKey& key : keys) {
    std::string id = CheckpointKeyId(key.key);
    out.emplace(std::move(id), std::move(key.key));
  }
  return out;
}

absl::StatusOr<store::CheckpointRow> SignCheckpoint(const crypto::PrivateKey& key,
                                                    const store::AuditHead& head, absl::Time at) {
  BG_ASSIGN_OR_RETURN(Bytes signature, key.Sign(crypto::SignatureScheme::kEcdsa,
                                                DigestOf(head.sequence, at, head.chain)));
  return store::CheckpointRow{.sequence = head.sequence,
                              .at = at,
                              .chain = head.chain,
                              .key_id = CheckpointKeyId(key.Public()),
                              .signature = std::move(signature)};
}

absl::Status CheckCheckpoint(const store::CheckpointRow& checkpoint, const CheckpointKeys& keys) {
  const auto refuse = [&](absl::string_view what) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kAuditBroken,
                  absl::StrCat("the checkpoint of audit row ", checkpoint.sequence, " ", what));
  };
  const auto key = keys.find(checkpoint.key_id);
  if (key == keys.end()) {
    return refuse(absl::StrCat("is signed by key ", Printable(checkpoint.key_id, 64),
                               ", which is none of those that are believed"));
  }
  const crypto::Digest digest = DigestOf(checkpoint.sequence, checkpoint.at, checkpoint.chain);
  if (!key->second.Verify(crypto::SignatureScheme::kEcdsa, digest, checkpoint.signature).ok()) {
    return refuse("has a signature that does not verify");
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::audit
