#include "pki/ek_distrust.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxReason = 256;  // bytes
constexpr size_t kSha256Hex = 64;

std::string Sha256Hex(ByteView bytes) {
  return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
}

struct Entry {
  std::string digest, reason;
};

absl::StatusOr<Entry> ReadLine(absl::string_view line) {
  const size_t space = line.find_first_of(" \t");
  std::string digest;
  for (const char c : line.substr(0, space)) {
    if (c != ':') digest.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
  }
  if (digest.size() != kSha256Hex || !FromHex(digest).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(line, kSha256Hex), "' does not begin with a SHA-256 in hex"));
  }
  const absl::string_view words =
      space == absl::string_view::npos ? "" : absl::StripAsciiWhitespace(line.substr(space));
  return Entry{std::move(digest), Printable(words, kMaxReason)};
}

}  // namespace

absl::Status DistrustList::Add(absl::string_view text) {
  std::map<std::string, std::string> grown = reasons_;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    absl::StatusOr<Entry> entry = ReadLine(line);
    if (!entry.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", entry.status().message()));
    }
    grown[std::move(entry->digest)] = std::move(entry->reason);
    if (grown.size() > kMaxDistrustEntries) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": more than ", kMaxDistrustEntries, " entries"));
    }
  }
  reasons_ = std::move(grown);
  return absl::OkStatus();
}

absl::Status DistrustList::CheckDigest(ByteView bytes, absl::string_view what) const {
  const std::string digest = Sha256Hex(bytes);
  const auto found = reasons_.find(digest);
  if (found == reasons_.end()) return absl::OkStatus();
  return NotAuthentic(Reason::kTpmDistrusted,
                      absl::StrCat(what, " is on the distrust list (SHA-256 ", digest, ")",
                                   found->second.empty() ? "" : ": ", found->second));
}

absl::Status DistrustList::CheckPath(const std::vector<Bytes>& path) const {
  if (reasons_.empty()) return absl::OkStatus();
  for (const Bytes& der : path) {
    BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(der));
    const std::string name = NamesOf(certificate.get());
    BG_RETURN_IF_ERROR(CheckDigest(der, name));
    // The key as the certificate writes it, and as we do: vendors mark one RSA key in two ways.
    const std::string key = absl::StrCat("the key of ", name);
    BG_RETURN_IF_ERROR(CheckDigest(SpkiOf(certificate.get()), key));
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey parsed, KeyOf(certificate.get()));
    BG_RETURN_IF_ERROR(CheckDigest(parsed.SpkiDer(), key));
  }
  return absl::OkStatus();
}

absl::Status DistrustList::CheckKey(const crypto::PublicKey& key) const {
  if (reasons_.empty()) return absl::OkStatus();
  return CheckDigest(key.SpkiDer(), "the TPM's key");
}

}  // namespace bootgate::pki
