#include "gatekeeper/webhook/signature.h"

#include <sys/stat.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/kdf.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr size_t kMaxFile = 4096;  // bytes
constexpr absl::string_view kPrefix = "whsec_";
constexpr char kHowToMakeOne[] =
    "; make one with: (umask 077; echo \"whsec_$(openssl rand -base64 32)\" >FILE)";

absl::Status CheckMode(const std::string& file) {
  struct stat about = {};
  if (stat(file.c_str(), &about) != 0) return absl::OkStatus();  // reading tells why
  if ((about.st_mode & (S_IROTH | S_IWOTH)) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      file, ": everybody on this machine can read or write the key; chmod o-rwx ", file));
}

absl::StatusOr<SecretBytes> KeyIn(absl::string_view line) {
  const absl::Status bad = absl::InvalidArgumentError(absl::StrCat(
      "a line is no key (whsec_ and base64 of ", kLeastKey, " to ", kMostKey, " bytes)"));
  if (!absl::ConsumePrefix(&line, kPrefix)) return bad;
  const absl::StatusOr<Bytes> bytes = FromBase64(line);
  if (!bytes.ok() || bytes->size() < kLeastKey || bytes->size() > kMostKey) return bad;
  return SecretBytes(ByteView(*bytes));
}

absl::StatusOr<std::vector<SecretBytes>> KeysIn(absl::string_view text) {
  std::vector<SecretBytes> keys;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    BG_ASSIGN_OR_RETURN(SecretBytes key, KeyIn(line));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::InvalidArgumentError("no key in it");
  if (keys.size() > kMostKeys) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMostKeys, " keys"));
  }
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<SecretBytes>> ReadKeys(const std::string& file) {
  BG_RETURN_IF_ERROR(CheckMode(file));
  BG_ASSIGN_OR_RETURN(const Bytes read, ReadFile(file, kMaxFile));
  const SecretBytes text{ByteView(read)};
  absl::StatusOr<std::vector<SecretBytes>> keys = KeysIn(AsText(text.view()));
  if (keys.ok()) return keys;
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": ", keys.status().message(), kHowToMakeOne));
}

std::string Signatures(const std::vector<SecretBytes>& keys, absl::string_view id,
                       int64_t unix_seconds, absl::string_view body) {
  const std::string head = absl::StrCat(id, ".", unix_seconds, ".");
  std::string out;
  for (const SecretBytes& key : keys) {
    const crypto::Digest mac =
        crypto::Hmac(crypto::HashAlg::kSha256, key.view(), {AsBytes(head), AsBytes(body)});
    absl::StrAppend(&out, out.empty() ? "" : " ", "v1,", ToBase64(mac.view()));
  }
  return out;
}

}  // namespace bootgate::gatekeeper::webhook
