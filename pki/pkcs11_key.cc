#include "pki/pkcs11_key.h"

#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "pki/der.h"
#include "pki/pkcs11_module.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxLabel = 64;       // bytes of a key's label
constexpr size_t kMaxEcPoint = 256;    // bytes of CKA_EC_POINT
constexpr size_t kMaxSignature = 256;  // bytes, raw
constexpr uint8_t kUncompressed = 0x04;

std::string NameOf(const Pkcs11Location& location) {
  return absl::StrCat("token '", location.token, "' label '", location.label, "' (pkcs11)");
}

absl::Status KeyError(const Pkcs11Location& location, const absl::Status& cause) {
  return Refuse(absl::StatusCode::kUnavailable, Reason::kCaKey,
                absl::StrCat(NameOf(location), ": ", cause.message()));
}

absl::Status Failed(absl::string_view doing, CK_RV rv) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", Pkcs11ErrorName(rv)));
}

crypto::HashAlg HashOf(crypto::Curve curve) {
  return curve == crypto::Curve::kP384 ? crypto::HashAlg::kSha384 : crypto::HashAlg::kSha256;
}

CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, const void* value, size_t size) {
  return {type, const_cast<void*>(value), size};
}

// Private key handles of this label; at most two are asked for.
absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindKeys(const CK_FUNCTION_LIST& p11,
                                                       CK_SESSION_HANDLE session,
                                                       const std::string& label) {
  const CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE wanted[] = {Attribute(CKA_CLASS, &kind, sizeof(kind)),
                           Attribute(CKA_LABEL, label.data(), label.size())};
  CK_RV rv = p11.C_FindObjectsInit(session, wanted, std::size(wanted));
  if (rv != CKR_OK) return Failed("cannot look for the key", rv);
  std::vector<CK_OBJECT_HANDLE> found(2);
  CK_ULONG count = 0;
  rv = p11.C_FindObjects(session, found.data(), found.size(), &count);
  p11.C_FindObjectsFinal(session);
  if (rv != CKR_OK) return Failed("cannot look for the key", rv);
  found.resize(std::min<size_t>(count, found.size()));
  return found;
}

// r and s side by side, as the token gives them, to the DER that X.509 wants.
Bytes EcdsaDer(ByteView raw) {
  const size_t half = raw.size() / 2;
  return der::Sequence({der::Integer(raw.first(half)), der::Integer(raw.subspan(half))});
}

struct Session {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  int generation = 0;
};

class TokenKey final : public KeyHolder {
 public:
  TokenKey(Pkcs11Location location, crypto::PublicKey key)
      : location_(std::move(location)), key_(std::move(key)) {}
  ~TokenKey() override {
    if (module_ == nullptr) return;
    const std::shared_lock use(module_->use());
    Close();
  }

  const crypto::PublicKey& Public() const override { return key_; }
  std::string Describe() const override { return NameOf(location_); }

  absl::StatusOr<Bytes> Sign(const crypto::Digest& digest) const override {
    const std::lock_guard lock(mutex_);
    bool lost = false;
    absl::StatusOr<Bytes> signature = TrySign(digest, &lost);
    if (!signature.ok() && lost) {
      const absl::Status again = module_ == nullptr ? absl::OkStatus() : module_->Restart(seen_);
      signature = again.ok() ? TrySign(digest, &lost) : again;
    }
    if (!signature.ok()) return KeyError(location_, signature.status());
    return signature;
  }

 private:
  // `lost`: it may work with the module started anew.
  absl::StatusOr<Bytes> TrySign(const crypto::Digest& digest, bool* lost) const {
    if (module_ == nullptr) {
      BG_ASSIGN_OR_RETURN(module_, Pkcs11Module::Load(location_.module));
    }
    const std::shared_lock use(module_->use());
    seen_ = module_->generation();
    if (open_.has_value() && open_->generation != seen_) open_.reset();
    if (!open_.has_value()) {
      const absl::Status opened = Open();
      *lost = absl::IsUnavailable(opened);
      BG_RETURN_IF_ERROR(opened);
    }
    absl::StatusOr<Bytes> signature = SignHere(digest, lost);
    if (!signature.ok()) Close();
    return signature;
  }

  absl::StatusOr<Bytes> SignHere(const crypto::Digest& digest, bool* lost) const {
    const CK_FUNCTION_LIST& p11 = module_->functions();
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    CK_RV rv = p11.C_SignInit(open_->session, &mechanism, open_->key);
    Bytes raw(kMaxSignature);
    CK_ULONG size = raw.size();
    if (rv == CKR_OK) {
      rv = p11.C_Sign(open_->session, const_cast<CK_BYTE_PTR>(digest.view().data()), digest.size(),
                      raw.data(), &size);
    }
    if (rv != CKR_OK) {
      *lost = IsLostConnection(rv);
      return Failed("cannot sign", rv);
    }
    raw.resize(std::min<size_t>(size, raw.size()));
    return EcdsaDer(raw);
  }

  absl::Status Open() const {
    BG_ASSIGN_OR_RETURN(const SecretBytes pin,
                        ReadSecret(location_.pin, "PIN of " + NameOf(location_)));
    const crypto::Digest fingerprint = crypto::Hash(crypto::HashAlg::kSha256, pin.view());
    if (refused_pin_ == fingerprint) {
      return absl::PermissionDeniedError(
          "the token refused this PIN; it is not tried again before it has changed");
    }
    const absl::StatusOr<CK_SESSION_HANDLE> session =
        module_->OpenSession({.token = location_.token, .pin = pin});
    if (absl::IsPermissionDenied(session.status())) refused_pin_ = fingerprint;
    BG_RETURN_IF_ERROR(session.status());
    open_ = Session{.session = *session, .generation = seen_};
    const absl::Status found = FindAndCheck();
    if (!found.ok()) Close();
    return found;
  }

  absl::Status FindAndCheck() const {
    BG_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> keys,
                        FindKeys(module_->functions(), open_->session, location_.label));
    if (keys.empty()) return absl::UnavailableError("there is no private key of that label");
    if (keys.size() > 1) return absl::FailedPreconditionError("several keys have that label");
    open_->key = keys.front();
    const crypto::Digest asked = crypto::Hash(
        HashOf(*key_.curve()), crypto::RandomBytes(crypto::DigestSize(HashOf(*key_.curve()))));
    bool lost = false;
    BG_ASSIGN_OR_RETURN(const Bytes signature, SignHere(asked, &lost));
    if (key_.Verify(crypto::SignatureScheme::kEcdsa, asked, signature).ok()) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError("it is not the key of the certificate");
  }

  void Close() const {
    if (open_.has_value() && open_->generation == module_->generation()) {
      module_->functions().C_CloseSession(open_->session);
    }
    open_.reset();
  }

  const Pkcs11Location location_;
  const crypto::PublicKey key_;
  mutable std::mutex mutex_;  // over all below
  mutable std::shared_ptr<Pkcs11Module> module_;
  mutable int seen_ = 0;  // the module's generation at the last try
  mutable std::optional<Session> open_;
  mutable std::optional<crypto::Digest> refused_pin_;
};

absl::Status CheckLocation(const Pkcs11Location& location) {
  if (location.module.empty() || location.module[0] != '/') {
    return absl::InvalidArgumentError("a PKCS#11 key needs the module's absolute path");
  }
  if (location.token.empty() || location.label.empty() || location.label.size() > kMaxLabel) {
    return absl::InvalidArgumentError("a PKCS#11 key needs a token label and a key label");
  }
  return absl::OkStatus();
}

Bytes CurveOid(crypto::Curve curve) {
  return curve == crypto::Curve::kP384 ? der::Oid({1, 3, 132, 0, 34})
                                       : der::Oid({1, 2, 840, 10045, 3, 1, 7});
}

// CKA_EC_POINT: an OCTET STRING around the uncompressed point; some tokens leave the string away.
absl::StatusOr<crypto::PublicKey> KeyOfPoint(crypto::Curve curve, ByteView point) {
  const size_t field = crypto::FieldSize(curve);
  if (point.size() != 1 + 2 * field) {
    bytes::Reader in(point);
    BG_ASSIGN_OR_RETURN(const der::ReadElement inner, der::Expect(in, der::kOctetString));
    point = inner.contents;
  }
  if (point.size() != 1 + 2 * field || point.front() != kUncompressed) {
    return absl::UnavailableError("the token gave no uncompressed point");
  }
  return crypto::PublicKey::FromEc(curve, point.subspan(1, field), point.subspan(1 + field));
}

absl::StatusOr<crypto::PublicKey> Generate(const CK_FUNCTION_LIST& p11, CK_SESSION_HANDLE session,
                                           const Pkcs11Location& location, crypto::Curve curve) {
  BG_ASSIGN_OR_RETURN(const auto there, FindKeys(p11, session, location.label));
  if (!there.empty()) {
    return absl::AlreadyExistsError(absl::StrCat(NameOf(location), " is already there"));
  }
  const Bytes oid = CurveOid(curve);
  const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  CK_ATTRIBUTE open_half[] = {Attribute(CKA_TOKEN, &yes, 1), Attribute(CKA_VERIFY, &yes, 1),
                              Attribute(CKA_EC_PARAMS, oid.data(), oid.size()),
                              Attribute(CKA_LABEL, location.label.data(), location.label.size())};
  CK_ATTRIBUTE secret_half[] = {Attribute(CKA_TOKEN, &yes, 1),
                                Attribute(CKA_PRIVATE, &yes, 1),
                                Attribute(CKA_SENSITIVE, &yes, 1),
                                Attribute(CKA_SIGN, &yes, 1),
                                Attribute(CKA_EXTRACTABLE, &no, 1),
                                Attribute(CKA_LABEL, location.label.data(), location.label.size())};
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  CK_RV rv = p11.C_GenerateKeyPair(session, &mechanism, open_half, std::size(open_half),
                                   secret_half, std::size(secret_half), &public_key, &private_key);
  if (rv != CKR_OK) return Failed("cannot make a key", rv);
  Bytes point(kMaxEcPoint);
  CK_ATTRIBUTE wanted = Attribute(CKA_EC_POINT, point.data(), point.size());
  rv = p11.C_GetAttributeValue(session, public_key, &wanted, 1);
  if (rv != CKR_OK || wanted.ulValueLen > point.size()) return Failed("cannot read the key", rv);
  return KeyOfPoint(curve, ByteView(point).first(wanted.ulValueLen));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenPkcs11Key(const Pkcs11Location& location,
                                                               const crypto::PublicKey& expected) {
  BG_RETURN_IF_ERROR(CheckLocation(location));
  if (!expected.curve().has_value()) {
    return KeyError(location, absl::FailedPreconditionError("only EC keys are supported"));
  }
  return std::make_shared<const TokenKey>(location, expected);
}

absl::StatusOr<std::shared_ptr<const KeyHolder>> MakePkcs11Key(const Pkcs11Location& location,
                                                               crypto::Curve curve) {
  BG_RETURN_IF_ERROR(CheckLocation(location));
  BG_ASSIGN_OR_RETURN(const SecretBytes pin,
                      ReadSecret(location.pin, "PIN of " + NameOf(location)));
  absl::StatusOr<std::shared_ptr<Pkcs11Module>> module = Pkcs11Module::Load(location.module);
  if (!module.ok()) return KeyError(location, module.status());
  const std::shared_lock use((*module)->use());
  const absl::StatusOr<CK_SESSION_HANDLE> session =
      (*module)->OpenSession({.token = location.token, .pin = pin, .writable = true});
  if (!session.ok()) return KeyError(location, session.status());
  const CK_FUNCTION_LIST& p11 = (*module)->functions();
  absl::StatusOr<crypto::PublicKey> made = Generate(p11, *session, location, curve);
  p11.C_CloseSession(*session);
  if (absl::IsAlreadyExists(made.status())) return made.status();
  if (!made.ok()) return KeyError(location, made.status());
  return OpenPkcs11Key(location, *made);
}

}  // namespace bootgate::pki
