#include "pki/key_spec.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "pki/file_key.h"
#include "pki/pkcs11_key.h"
#include "pki/tpm_key.h"

namespace bootgate::pki {
namespace {

std::string PathOf(const std::string& folder, const std::string& name) {
  return name.empty() || name[0] == '/' ? name : absl::StrCat(folder, "/", name);
}

absl::Status NotHere() {
  return Refuse(absl::StatusCode::kUnavailable, Reason::kCaKey, "the key is not on this machine");
}

}  // namespace

absl::string_view Name(KeySpec::Kind kind) {
  switch (kind) {
    case KeySpec::Kind::kNone:
      return "none";
    case KeySpec::Kind::kFile:
      return "file";
    case KeySpec::Kind::kPkcs11:
      return "pkcs11";
    case KeySpec::Kind::kTpm:
      return "tpm";
  }
  __builtin_unreachable();
}

std::string Describe(const KeySpec& spec) {
  switch (spec.kind) {
    case KeySpec::Kind::kNone:
      return "not here";
    case KeySpec::Kind::kFile:
    case KeySpec::Kind::kTpm:
      return absl::StrCat(std::string(Name(spec.kind)), " ", spec.file);
    case KeySpec::Kind::kPkcs11:
      return absl::StrCat("pkcs11 token '", spec.token, "' label '", spec.label, "'");
  }
  __builtin_unreachable();
}

absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenKey(const KeySpec& spec,
                                                         const std::string& folder,
                                                         const crypto::PublicKey& expected) {
  switch (spec.kind) {
    case KeySpec::Kind::kNone:
      return NotHere();
    case KeySpec::Kind::kFile:
      return OpenFileKey(PathOf(folder, spec.file), spec.secret, expected);
    case KeySpec::Kind::kPkcs11:
      return OpenPkcs11Key({spec.module, spec.token, spec.label, spec.secret}, expected);
    case KeySpec::Kind::kTpm:
      return OpenTpmKey(
          spec.file.rfind(kTpmHandlePrefix, 0) == 0 ? spec.file : PathOf(folder, spec.file),
          expected);
  }
  __builtin_unreachable();
}

absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeKey(const KeySpec& spec,
                                                         const std::string& folder,
                                                         crypto::Curve curve) {
  switch (spec.kind) {
    case KeySpec::Kind::kNone:
      return NotHere();
    case KeySpec::Kind::kFile:
      return MakeFileKey(PathOf(folder, spec.file), spec.secret, curve);
    case KeySpec::Kind::kPkcs11:
      return MakePkcs11Key({spec.module, spec.token, spec.label, spec.secret}, curve);
    case KeySpec::Kind::kTpm:
      return MakeTpmKey(PathOf(folder, spec.file), curve);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::pki
