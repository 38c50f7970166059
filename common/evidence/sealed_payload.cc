#include "common/evidence/sealed_payload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/crypto/kdf.h"

namespace bootgate::evidence {
namespace {

constexpr uint32_t kVersion = 1;
constexpr size_t kLengthSize = 4;  // bytes

// Fills a buffer of the right size from front to back: a growing one would leave copies of the
// secrets behind.
class SecretWriter {
 public:
  explicit SecretWriter(size_t size) : out_(size) {}

  void U32(uint32_t value) { Raw(bytes::Writer().U32Be(value).view()); }
  void Field(ByteView value) {
    U32(static_cast<uint32_t>(value.size()));
    Raw(value);
  }
  SecretBytes Finish() { return std::move(out_); }

 private:
  void Raw(ByteView value) {
    std::ranges::copy(value, out_.mutable_view().subspan(at_, value.size()).begin());
    at_ += value.size();
  }
  SecretBytes out_;
  size_t at_ = 0;
};

absl::Status CheckSize(absl::string_view what, size_t size, size_t bound) {
  if (size <= bound) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("payload: ", what, " of ", size, " bytes, more than ", bound));
}

absl::Status CheckBounds(const SealedPayload& payload) {
  BG_RETURN_IF_ERROR(CheckSize("chain", payload.chain_pem.size(), kMaxPayloadChain));
  BG_RETURN_IF_ERROR(CheckSize("private key", payload.private_key_pem.size(), kMaxPayloadKey));
  if (payload.secrets.size() > kMaxPayloadSecrets) {
    return absl::InvalidArgumentError(
        absl::StrCat("payload: ", payload.secrets.size(), " secrets"));
  }
  for (const auto& [name, value] : payload.secrets) {
    BG_RETURN_IF_ERROR(CheckSize("name of a secret", name.size(), kMaxPayloadSecretName));
    BG_RETURN_IF_ERROR(CheckSize("secret", value.size(), kMaxPayloadSecretSize));
  }
  return absl::OkStatus();
}

absl::StatusOr<ByteView> TakeField(bytes::Reader& in, absl::string_view what, size_t bound) {
  BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
  BG_RETURN_IF_ERROR(CheckSize(what, size, bound));
  return in.Take(size);
}

absl::Status TakeSecrets(bytes::Reader& in, std::map<std::string, SecretBytes>& secrets) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  if (count > kMaxPayloadSecrets) {
    return absl::InvalidArgumentError(absl::StrCat("payload: ", count, " secrets"));
  }
  for (uint32_t i = 0; i < count; ++i) {
    BG_ASSIGN_OR_RETURN(const ByteView raw_name,
                        TakeField(in, "name of a secret", kMaxPayloadSecretName));
    BG_ASSIGN_OR_RETURN(const ByteView value, TakeField(in, "secret", kMaxPayloadSecretSize));
    std::string name(AsText(raw_name));
    if (!secrets.empty() && name <= secrets.rbegin()->first) {
      return absl::InvalidArgumentError("payload: names of secrets out of order");
    }
    secrets.emplace_hint(secrets.end(), std::move(name), SecretBytes(value));
  }
  return absl::OkStatus();
}

Bytes Associated(const std::string& host_id, const std::string& serial_hex) {
  return ToBytes(AsBytes(absl::StrCat(host_id, serial_hex)));
}

}  // namespace

absl::StatusOr<SecretBytes> Encode(const SealedPayload& payload) {
  BG_RETURN_IF_ERROR(CheckBounds(payload));
  size_t size = 4 * kLengthSize + payload.chain_pem.size() + payload.private_key_pem.size();
  for (const auto& [name, value] : payload.secrets) {
    size += 2 * kLengthSize + name.size() + value.size();
  }
  SecretWriter out(size);
  out.U32(kVersion);
  out.Field(AsBytes(payload.chain_pem));
  out.Field(payload.private_key_pem.view());
  out.U32(static_cast<uint32_t>(payload.secrets.size()));
  for (const auto& [name, value] : payload.secrets) {
    out.Field(AsBytes(name));
    out.Field(value.view());
  }
  return out.Finish();
}

absl::StatusOr<SealedPayload> DecodeSealedPayload(ByteView encoded) {
  bytes::Reader in(encoded);
  BG_ASSIGN_OR_RETURN(const uint32_t version, in.U32Be());
  if (version != kVersion) {
    return absl::InvalidArgumentError(absl::StrCat("payload of version ", version));
  }
  SealedPayload payload;
  BG_ASSIGN_OR_RETURN(const ByteView chain, TakeField(in, "chain", kMaxPayloadChain));
  payload.chain_pem = std::string(AsText(chain));
  BG_ASSIGN_OR_RETURN(const ByteView key, TakeField(in, "private key", kMaxPayloadKey));
  payload.private_key_pem = SecretBytes(key);
  BG_RETURN_IF_ERROR(TakeSecrets(in, payload.secrets));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return payload;
}

absl::StatusOr<Bytes> ClosePayload(const SecretBytes& key, const std::string& host_id,
                                   const std::string& serial_hex, const SealedPayload& payload) {
  BG_ASSIGN_OR_RETURN(const SecretBytes encoded, Encode(payload));
  return crypto::AeadSeal(key.view(), encoded.view(), Associated(host_id, serial_hex));
}

absl::StatusOr<SealedPayload> OpenPayload(const SecretBytes& key, const std::string& host_id,
                                          const std::string& serial_hex, ByteView closed) {
  BG_ASSIGN_OR_RETURN(const SecretBytes encoded,
                      crypto::AeadOpen(key.view(), closed, Associated(host_id, serial_hex)));
  return DecodeSealedPayload(encoded.view());
}

}  // namespace bootgate::evidence
