#include "gatekeeper/reference/sources/deb.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/sources/archive_reader.h"
#include "gatekeeper/reference/sources/packed_files.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxControl = size_t{1} << 20;  // bytes

absl::Status Bad(const std::string& file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(Printable(file), ": ", what));
}

// The fields of the first paragraph that we read; continued lines belong to none of them.
std::map<std::string, std::string> FieldsOf(absl::string_view control) {
  std::map<std::string, std::string> fields;
  for (const absl::string_view line : absl::StrSplit(control, '\n')) {
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == absl::string_view::npos) continue;
    fields.emplace(absl::AsciiStrToLower(line.substr(0, colon)),
                   absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return fields;
}

absl::StatusOr<Package> PackageOf(const std::string& file, absl::string_view control) {
  const std::map<std::string, std::string> fields = FieldsOf(control);
  const auto name = fields.find("package"), version = fields.find("version"),
             architecture = fields.find("architecture");
  if (name == fields.end() || version == fields.end() || architecture == fields.end()) {
    return Bad(file, "its control file lacks Package, Version or Architecture");
  }
  return Package{name->second, version->second, absl::StrCat("deb:", architecture->second)};
}

// The archive inside a member of another one.
absl::StatusOr<std::unique_ptr<ArchiveReader>> Inner(ArchiveReader& outer,
                                                     const std::string& name) {
  return ArchiveReader::Open([&outer] { return outer.Piece(); }, name);
}

absl::StatusOr<Package> ReadControl(ArchiveReader& outer, const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveReader> inner, Inner(outer, file));
  ArchiveMember member;
  while (true) {
    BG_ASSIGN_OR_RETURN(const bool more, inner->Next(&member));
    if (!more) return Bad(file, "it has no control file");
    if (AbsolutePath(member.path) != "/control") continue;
    BG_ASSIGN_OR_RETURN(const Bytes control, inner->Content(kMaxControl));
    return PackageOf(file, AsText(control));
  }
}

}  // namespace

absl::Status AddDeb(const std::string& file, WhichFiles which, SetDraft* draft) {
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveReader> outer, ArchiveReader::OpenFile(file));
  std::optional<Package> package;
  ArchiveMember member;
  while (true) {
    BG_ASSIGN_OR_RETURN(const bool more, outer->Next(&member));
    if (!more) return Bad(file, "it is no Debian package: it has no data.tar");
    if (absl::StartsWith(member.path, "control.tar")) {
      BG_ASSIGN_OR_RETURN(package, ReadControl(*outer, file));
    } else if (absl::StartsWith(member.path, "data.tar")) {
      if (!package.has_value()) return Bad(file, "its data.tar comes before its control.tar");
      BG_ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveReader> inner, Inner(*outer, file));
      return AddPackedFiles(*inner, which, *package, draft);
    }
  }
}

}  // namespace bootgate::gatekeeper::reference
