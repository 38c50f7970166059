#include "common/eventlog/decode/signature_words.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/crypto/certificate_facts.h"
#include "common/eventlog/decode/dbx_history.h"
#include "common/eventlog/decode/known_certificates.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kMaxNamed = 8;       // certificates of a list that are named
constexpr size_t kMaxNameText = 120;  // bytes
constexpr size_t kShownHash = 8;      // bytes
constexpr absl::string_view kLists[] = {
    "PK",        "KEK",        "db",        "dbx",        "dbt",        "dbr",
    "PKDefault", "KEKDefault", "dbDefault", "dbxDefault", "dbtDefault", "dbrDefault",
    "MokList",   "MokListX",   "MokListRT", "MokListXRT", "vendor_db"};

// The part of a name that tells people most: its common name, else all of it.
std::string ShortSubject(absl::string_view subject) {
  for (const absl::string_view part : absl::StrSplit(subject, ", ")) {
    if (part.substr(0, 3) == "CN=") return Printable(part, kMaxNameText);
  }
  return Printable(subject, kMaxNameText);
}

std::string CertificateWords(ByteView der) {
  const std::optional<crypto::CertificateFacts> facts = crypto::ReadCertificateFacts(der);
  if (!facts.has_value())
    return absl::StrCat("certificate that cannot be read, ", der.size(), " bytes");
  const bool test = IsTestSubject(facts->subject);
  return absl::StrCat(ShortSubject(facts->subject), test ? " (a test key)" : "");
}

std::string Counted(size_t count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

}  // namespace

bool HoldsSignatureLists(absl::string_view variable_name) {
  return std::ranges::find(kLists, variable_name) != std::end(kLists);
}

std::string SignatureWords(const SignatureEntry& entry) {
  if (entry.kind == SignatureKind::kX509) return CertificateWords(entry.value);
  const ByteView shown = entry.value.first(std::min(entry.value.size(), kShownHash));
  return absl::StrCat(Name(entry.kind), " ", ToHex(shown),
                      shown.size() < entry.value.size() ? "..." : "");
}

std::string SignatureListWords(absl::string_view variable_name, ByteView data) {
  const SignatureLists lists = SignatureLists::Read(data);
  if (!lists.ok()) return absl::StrCat("malformed: ", lists.problem());
  std::vector<std::string> names;
  size_t certificates = 0;
  size_t others = 0;
  for (const SignatureEntry& entry : lists) {
    if (entry.kind != SignatureKind::kX509) {
      ++others;
    } else if (++certificates <= kMaxNamed) {
      names.push_back(SignatureWords(entry));
    }
  }
  if (certificates > kMaxNamed) names.emplace_back("...");
  std::string words = Counted(certificates, "certificate", "certificates");
  if (certificates != 0) absl::StrAppend(&words, ": ", absl::StrJoin(names, ", "));
  absl::StrAppend(&words, ", ", Counted(others, "hash", "hashes"));
  const absl::string_view newest = AgeOfDbx(lists).newest;
  const bool forbids = variable_name == "dbx" || variable_name == "dbxDefault";
  if (forbids && !newest.empty()) absl::StrAppend(&words, ", newest published ", newest);
  return words;
}

}  // namespace bootgate::eventlog
