#include "pki/ca_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/json_text.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "pki/authority.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxClusterIdSize = 40;     // bytes; the CA's common name must fit 64
constexpr size_t kMaxTrustDomainSize = 255;  // bytes; SPIFFE ID, section 2.1
constexpr size_t kMaxCas = 200;
constexpr size_t kMaxIdSize = 40;      // bytes
constexpr size_t kMaxPemSize = 65536;  // bytes
constexpr mode_t kFileMode = 0600;
constexpr absl::string_view kRootName = "Bootgate root ";

constexpr CaRecord::State kStates[] = {CaRecord::State::kRequested, CaRecord::State::kPrepared,
                                       CaRecord::State::kActive, CaRecord::State::kRetired,
                                       CaRecord::State::kTainted};
constexpr KeySpec::Kind kHolders[] = {KeySpec::Kind::kNone, KeySpec::Kind::kFile,
                                      KeySpec::Kind::kPkcs11, KeySpec::Kind::kTpm};

bool IsCaId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxIdSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

bool IsFileName(absl::string_view text) {
  return !text.empty() && text.front() != '.' && text.find('/') == absl::string_view::npos;
}

absl::Status Broken(const std::string& path, absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa, absl::StrCat(path, ": ", what));
}

std::vector<std::string> Words(const std::set<CaUse>& uses) {
  std::vector<std::string> words;
  for (const CaUse use : uses) words.emplace_back(Name(use));
  return words;
}

// One table of ca.toml; complaints go to the file.
class TableReader {
 public:
  TableReader(config::ConfigFile& file, const std::string& id) : file_(file), id_(id) {}

  std::string Text(absl::string_view key) {
    std::string value;
    file_.Text(Key(key), &value);
    return value;
  }
  std::set<CaUse> Uses(absl::string_view key) {
    std::vector<std::string> words;
    file_.Texts(Key(key), &words);
    std::set<CaUse> uses;
    for (const std::string& word : words) {
      if (const std::optional<CaUse> use = CaUseFromName(word))
        uses.insert(*use);
      else
        Complain(key, "hosts, aks, servers, operators");
    }
    return uses;
  }
  template <typename Value, size_t kCount>
  Value OneOf(absl::string_view key, const Value (&values)[kCount]) {
    const std::string text = Text(key);
    for (const Value value : values) {
      if (Name(value) == text) return value;
    }
    Complain(key, "is none of the words allowed here");
    return values[0];
  }
  void Complain(absl::string_view key, absl::string_view what) { file_.Complain(Key(key), what); }

 private:
  std::string Key(absl::string_view key) const { return absl::StrCat(id_, ".", key); }
  config::ConfigFile& file_;
  const std::string id_;
};

KeySpec ReadKey(TableReader& table) {
  KeySpec key;
  key.kind = table.OneOf("holder", kHolders);
  key.file = table.Text("file");
  key.module = table.Text("module");
  key.token = table.Text("token");
  key.label = table.Text("label");
  const absl::StatusOr<SecretSource> secret = ParseSecretSource(table.Text("secret"));
  if (!secret.ok())
    table.Complain("secret", secret.status().message());
  else
    key.secret = *secret;
  return key;
}

CaRecord ReadRecord(config::ConfigFile& file, const std::string& id) {
  TableReader table(file, id);
  CaRecord ca;
  ca.id = id;
  const std::string is = table.Text("is");
  if (is != "root" && is != "issuing") table.Complain("is", "root or issuing");
  ca.kind = is == "root" ? CaRecord::Kind::kRoot : CaRecord::Kind::kIssuing;
  ca.state = table.OneOf("state", kStates);
  const std::string since = table.Text("since");
  if (!absl::ParseTime(absl::RFC3339_full, since, &ca.since, nullptr)) {
    table.Complain("since", "a time as 2026-11-22T10:00:00Z");
  }
  ca.uses = table.Uses("for");
  ca.signs = table.Uses("signs");
  ca.under = table.Text("under");
  ca.certificate = table.Text("certificate");
  ca.request = table.Text("request");
  ca.why = table.Text("why");
  ca.key = ReadKey(table);
  const std::string& named = ca.state == CaRecord::State::kRequested ? ca.request : ca.certificate;
  if (!IsFileName(named)) table.Complain("certificate", "a file of this folder");
  if (ca.state != CaRecord::State::kActive) ca.signs.clear();
  return ca;
}

// An issuing CA stands under a root of the folder, and one CA alone signs for a use.
absl::Status CheckWhole(const CaFolder& folder, const std::string& path) {
  std::set<CaUse> signed_for;
  for (const CaRecord& ca : folder.cas) {
    for (const CaUse use : ca.signs) {
      if (ca.uses.count(use) == 0)
        return Broken(path, absl::StrCat(ca.id, " signs what it may not"));
      if (!signed_for.insert(use).second) {
        return Broken(path, absl::StrCat("two CAs sign for ", std::string(Name(use))));
      }
    }
    if (ca.kind == CaRecord::Kind::kRoot || ca.state == CaRecord::State::kRequested) continue;
    const CaRecord* const root = folder.Find(ca.under);
    if (root == nullptr || root->kind != CaRecord::Kind::kRoot) {
      return Broken(path, absl::StrCat(ca.id, " stands under no root of this folder"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<CaFolder> ReadToml(const std::string& folder, const std::string& path) {
  BG_ASSIGN_OR_RETURN(config::ConfigFile file, config::ConfigFile::Load(path));
  CaFolder out;
  out.folder = folder;
  file.Text("cluster_id", &out.cluster_id);
  file.Text("trust_domain", &out.trust_domain);
  if (!IsClusterId(out.cluster_id)) file.Complain("cluster_id", "must be set");
  if (!IsTrustDomain(out.trust_domain)) file.Complain("trust_domain", "must be set");
  std::vector<std::string> ids;
  file.Texts("cas", &ids);
  if (ids.size() > kMaxCas) return Broken(path, "too many CAs");
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    if (!IsCaId(id) || !seen.insert(id).second) {
      return Broken(path, absl::StrCat("'", Printable(id), "' is no id of a CA, or stands twice"));
    }
    out.cas.push_back(ReadRecord(file, id));
  }
  if (const absl::Status read = file.Finish(); !read.ok()) return Broken(path, read.message());
  BG_RETURN_IF_ERROR(CheckWhole(out, path));
  return out;
}

// What a folder of the simple form says without a ca.toml.
absl::StatusOr<CaFolder> ReadSimple(const std::string& folder) {
  CaFolder out;
  out.folder = folder;
  out.simple = true;
  const std::string path = out.PathOf("root.pem");
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(path, kMaxPemSize));
  const absl::StatusOr<Bytes> der = PemToDer(pem);
  if (!der.ok()) return Broken(path, der.status().message());
  const absl::StatusOr<crypto::X509Ptr> root = ParseCertificate(*der);
  if (!root.ok()) return Broken(path, root.status().message());
  for (const std::string& uri : UriNames(root->get())) {
    if (absl::StartsWith(uri, "spiffe://")) out.trust_domain = uri.substr(9);
  }
  if (!IsTrustDomain(out.trust_domain)) {
    return Broken(path, "names no trust domain (URI spiffe://...)");
  }
  const std::string subject = SubjectText(root->get());
  const size_t at = subject.find(kRootName.data(), 0, kRootName.size());
  out.cluster_id = at == std::string::npos ? "cluster" : subject.substr(at + kRootName.size());
  out.cluster_id = out.cluster_id.substr(0, out.cluster_id.find(','));
  if (!IsClusterId(out.cluster_id)) out.cluster_id = "cluster";
  const std::set<CaUse> all(std::begin(kAllCaUses), std::end(kAllCaUses));
  KeySpec root_key{.kind = KeySpec::Kind::kFile, .file = "root.key"};
  if (!FileExists(out.PathOf("root.key"))) root_key = KeySpec{};
  out.cas = {{.id = "root-1",
              .kind = CaRecord::Kind::kRoot,
              .state = CaRecord::State::kActive,
              .since = NotBefore(root->get()),
              .certificate = "root.pem",
              .key = root_key},
             {.id = "issuing",
              .state = CaRecord::State::kActive,
              .since = NotBefore(root->get()),
              .uses = all,
              .signs = all,
              .under = "root-1",
              .certificate = "issuing.pem",
              .key = {.kind = KeySpec::Kind::kFile, .file = "issuing.key"}}};
  return out;
}

void AppendLine(absl::string_view key, const std::string& value, std::string* out) {
  if (!value.empty()) absl::StrAppend(out, key, " = ", JsonString(value), "\n");
}

std::string List(const std::vector<std::string>& words) {
  return absl::StrCat("[",
                      absl::StrJoin(words, ", ",
                                    [](std::string* to, const std::string& word) {
                                      absl::StrAppend(to, JsonString(word));
                                    }),
                      "]");
}

void AppendRecord(const CaRecord& ca, std::string* out) {
  const bool root = ca.kind == CaRecord::Kind::kRoot;
  absl::StrAppend(out, "\n[", ca.id, "]\n");
  AppendLine("is", root ? "root" : "issuing", out);
  AppendLine("state", std::string(Name(ca.state)), out);
  AppendLine("since", FormatUtc(ca.since), out);
  if (!root) absl::StrAppend(out, "for = ", List(Words(ca.uses)), "\n");
  if (!ca.signs.empty()) absl::StrAppend(out, "signs = ", List(Words(ca.signs)), "\n");
  AppendLine("under", ca.under, out);
  AppendLine("certificate", ca.certificate, out);
  AppendLine("request", ca.request, out);
  AppendLine("why", ca.why, out);
  AppendLine("holder", std::string(Name(ca.key.kind)), out);
  AppendLine("file", ca.key.file, out);
  AppendLine("module", ca.key.module, out);
  AppendLine("token", ca.key.token, out);
  AppendLine("label", ca.key.label, out);
  AppendLine("secret", Text(ca.key.secret), out);
}

}  // namespace

absl::string_view Name(CaRecord::State state) {
  switch (state) {
    case CaRecord::State::kRequested:
      return "requested";
    case CaRecord::State::kPrepared:
      return "prepared";
    case CaRecord::State::kActive:
      return "active";
    case CaRecord::State::kRetired:
      return "retired";
    case CaRecord::State::kTainted:
      return "tainted";
  }
  __builtin_unreachable();
}

std::string NamesOf(const std::set<CaUse>& uses) {
  return uses.empty() ? "-" : absl::StrJoin(Words(uses), ", ");
}

bool IsTrustDomain(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxTrustDomainSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool IsClusterId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxClusterIdSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                  c == '_';
         });
}

const CaRecord* CaFolder::Find(absl::string_view id) const {
  const auto found =
      std::find_if(cas.begin(), cas.end(), [id](const CaRecord& ca) { return ca.id == id; });
  return found == cas.end() ? nullptr : &*found;
}

CaRecord* CaFolder::Find(absl::string_view id) {
  return const_cast<CaRecord*>(static_cast<const CaFolder*>(this)->Find(id));
}

const CaRecord* CaFolder::SignerFor(CaUse use) const {
  const auto found = std::find_if(cas.begin(), cas.end(), [use](const CaRecord& ca) {
    return ca.state == CaRecord::State::kActive && ca.signs.count(use) != 0;
  });
  return found == cas.end() ? nullptr : &*found;
}

const CaRecord* CaFolder::ActiveRoot() const {
  const auto found = std::find_if(cas.begin(), cas.end(), [](const CaRecord& ca) {
    return ca.kind == CaRecord::Kind::kRoot && ca.state == CaRecord::State::kActive;
  });
  return found == cas.end() ? nullptr : &*found;
}

std::string CaFolder::PathOf(absl::string_view file) const {
  return absl::StrCat(folder, "/", file);
}

std::string CaFolder::NewId(absl::string_view word) const {
  // One more than the last: the name of a CA that was removed does not come back.
  uint64_t last = 0;
  for (const CaRecord& ca : cas) {
    absl::string_view rest = ca.id;
    uint64_t number = 0;
    const bool of_word = absl::ConsumePrefix(&rest, word) && absl::ConsumePrefix(&rest, "-");
    if (of_word && absl::SimpleAtoi(rest, &number)) last = std::max(last, number);
  }
  return absl::StrCat(word, "-", last + 1);
}

absl::StatusOr<CaFolder> LoadCaFolder(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kCaFile);
  return FileExists(path) ? ReadToml(folder, path) : ReadSimple(folder);
}

absl::Status SaveCaFolder(const CaFolder& folder) {
  std::string text =
      "# The certificate authorities of this gatekeeper, as `bootgate-gatekeeper ca ...` keeps "
      "them."
      "\n# Where a key or its secret is to be had may be changed here by hand: holder, file, "
      "module,"
      "\n# token, label, secret (\"credential:NAME\", \"file:/PATH\", \"typed\").\n";
  AppendLine("cluster_id", folder.cluster_id, &text);
  AppendLine("trust_domain", folder.trust_domain, &text);
  std::vector<std::string> ids;
  for (const CaRecord& ca : folder.cas) ids.push_back(ca.id);
  absl::StrAppend(&text, "cas = ", List(ids), "\n");
  for (const CaRecord& ca : folder.cas) AppendRecord(ca, &text);
  return WriteFileAtomically(folder.PathOf(kCaFile), AsBytes(text), kFileMode);
}

std::string FingerprintOf(const std::string& folder) {
  for (const char* const name : {kCaFile, "issuing.pem"}) {
    struct stat info {};
    if (stat(absl::StrCat(folder, "/", name).c_str(), &info) != 0) continue;
    return absl::StrCat(name, " ", info.st_ino, " ", info.st_size, " ", info.st_mtim.tv_sec, ".",
                        info.st_mtim.tv_nsec);
  }
  return "";
}

absl::StatusOr<CaFolderLock> CaFolderLock::Take(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/.lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("cannot write to the CA folder ", folder));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return absl::AbortedError(
        absl::StrCat("another command is changing the CA folder ", folder, " just now"));
  }
  return CaFolderLock(fd);
}

CaFolderLock::CaFolderLock(CaFolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

CaFolderLock::~CaFolderLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace bootgate::pki
