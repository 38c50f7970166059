#include "gatekeeper/cli/ima_sets.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/ima/list.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/reference/imaset/change.h"
#include "gatekeeper/reference/imaset/diff.h"
#include "gatekeeper/reference/imaset/keylime.h"
#include "gatekeeper/reference/sources/deb.h"
#include "gatekeeper/reference/sources/folder.h"
#include "gatekeeper/reference/sources/good_list.h"
#include "gatekeeper/reference/sources/package_folder.h"
#include "gatekeeper/reference/sources/rpm.h"
#include "gatekeeper/reference/sources/sums.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using reference::ImaSet;
using reference::SetDraft;
using SetPtr = std::shared_ptr<const ImaSet>;

constexpr size_t kMaxShownPath = 300;  // bytes
constexpr size_t kMaxShownRows = 50;   // of a list in a table; JSON has all

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What every verb that writes a set tells of it.
ordered_json SummaryJson(const ImaSet& set) {
  const reference::SetCounts counts = set.counts();
  return {{"id", set.id()},
          {"name", Printable(set.name())},
          {"origin", Printable(set.origin())},
          {"created", Printable(set.created())},
          {"bytes", set.file().size()},
          {"paths", counts.paths},
          {"digests", counts.items},
          {"packages", counts.packages}};
}

struct Remark {
  std::string what;
  ordered_json value;
};

ExitCode TellWritten(const ImaSet& set, const std::string& file, const std::vector<Remark>& remarks,
                     const ImaSetOutput& to) {
  if (to.format == OutputFormat::kJson) {
    ordered_json json = SummaryJson(set);
    json["file"] = Printable(file);
    for (const Remark& remark : remarks) json[remark.what] = remark.value;
    to.out << Dump(json);
    return ExitCode::kSuccess;
  }
  const reference::SetCounts counts = set.counts();
  to.out << "wrote " << Printable(file) << ": " << counts.paths << " paths, " << counts.items
         << " digests, " << counts.packages << " packages, " << set.file().size() << " bytes\n"
         << "  id  " << set.id() << "\n";
  for (const Remark& remark : remarks) {
    if (!remark.value.is_array()) {
      to.out << "  " << remark.what << "  "
             << (remark.value.is_string() ? remark.value.get<std::string>() : remark.value.dump())
             << "\n";
      continue;
    }
    for (const auto& row : remark.value) {
      to.out << "  " << remark.what << ": " << row.get<std::string>() << "\n";
    }
  }
  return ExitCode::kSuccess;
}

// Adds what `add` reads from each file; errors name the file.
template <typename Add>
absl::Status AddEach(const std::vector<std::string>& files, Add add) {
  for (const std::string& file : files) BG_RETURN_IF_ERROR(add(file));
  return absl::OkStatus();
}

absl::Status InFile(const std::string& file, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(Printable(file), ": ", status.message()));
}

class Builder {
 public:
  Builder(const ImaBuildOptions& options, const ImaSetOutput& to) : options_(options), to_(to) {}

  absl::StatusOr<SetPtr> Run() {
    BG_ASSIGN_OR_RETURN(const std::optional<reference::UpdatePlan> plan, Plan());
    which_ = options_.executables_only ? reference::WhichFiles::kExecutables
                                       : reference::WhichFiles::kAll;
    BG_RETURN_IF_ERROR(AddFiles());
    BG_RETURN_IF_ERROR(AddLists());
    if (kinds_.empty()) {
      return absl::InvalidArgumentError(
          "name what to build from: --dir, --deb, --rpm, --packages, --sha256sums or --list");
    }
    replaced_ = reference::NoteReplaced(&draft_, plan);
    draft_.name = options_.name;
    draft_.origin = absl::StrJoin(kinds_, ", ");
    draft_.created = options_.created;
    return SaveImaSet(draft_, options_.out_file);
  }

  std::vector<Remark> Remarks() const {
    std::vector<Remark> remarks = {{"replaced_by_newer_package", replaced_}};
    if (!skipped_.empty()) remarks.push_back({"skipped", skipped_});
    return remarks;
  }

 private:
  absl::StatusOr<std::optional<reference::UpdatePlan>> Plan() const {
    if (options_.grace.empty()) return std::nullopt;
    reference::UpdatePlan plan;
    BG_ASSIGN_OR_RETURN(plan.grace, ReadDuration("--grace", options_.grace));
    BG_ASSIGN_OR_RETURN(plan.at, ReadTime("--at", options_.at, to_.clock.Now()));
    return plan;
  }

  void Note(const std::vector<std::string>& files, absl::string_view kind) {
    if (!files.empty()) kinds_.emplace_back(kind);
  }

  absl::Status AddFiles() {
    Note(options_.folders, "folder");
    BG_RETURN_IF_ERROR(AddEach(options_.folders, [&](const std::string& folder) {
      return reference::AddFolder(folder, which_, &draft_);
    }));
    Note(options_.debs, "deb");
    BG_RETURN_IF_ERROR(AddEach(options_.debs, [&](const std::string& file) {
      return reference::AddDeb(file, which_, &draft_);
    }));
    Note(options_.rpms, "rpm");
    BG_RETURN_IF_ERROR(AddEach(options_.rpms, [&](const std::string& file) {
      return reference::AddRpm(file, which_, &draft_);
    }));
    Note(options_.package_folders, "packages");
    return AddEach(options_.package_folders, [&](const std::string& folder) {
      reference::PackageFolderCounts counts;
      BG_RETURN_IF_ERROR(reference::AddPackageFolder(folder, which_, &draft_, &counts));
      for (const std::string& file : counts.skipped) {
        skipped_.push_back(absl::StrCat(Printable(file), ": a source package"));
      }
      return absl::OkStatus();
    });
  }

  absl::Status AddLists() {
    Note(options_.sums, "sha256sums");
    BG_RETURN_IF_ERROR(AddEach(options_.sums, [&](const std::string& file) -> absl::Status {
      BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, reference::kMaxSumsBytes));
      return InFile(file, reference::AddSums(text, &draft_));
    }));
    Note(options_.lists, "IMA list");
    return AddEach(options_.lists, [&](const std::string& file) -> absl::Status {
      BG_ASSIGN_OR_RETURN(const Bytes list, ReadFile(file, ima::kMaxListBytes));
      reference::GoodListCounts counts;
      BG_RETURN_IF_ERROR(InFile(file, reference::AddGoodList(list, &draft_, &counts)));
      if (counts.violations > 0) {
        skipped_.push_back(absl::StrCat(Printable(file), ": ", counts.violations, " violations"));
      }
      if (counts.without_digest > 0) {
        skipped_.push_back(absl::StrCat(Printable(file), ": ", counts.without_digest,
                                        " entries without a digest that can be read"));
      }
      return absl::OkStatus();
    });
  }

  const ImaBuildOptions& options_;
  const ImaSetOutput& to_;
  SetDraft draft_;
  reference::WhichFiles which_ = reference::WhichFiles::kAll;
  std::vector<std::string> kinds_;
  std::vector<std::string> skipped_;
  size_t replaced_ = 0;
};

struct TwoSets {
  ReadSet first, second;
};
absl::StatusOr<TwoSets> ReadTwo(const std::string& first, const std::string& second,
                                const std::vector<std::string>& verify_keys) {
  BG_ASSIGN_OR_RETURN(const reference::TrustedKeys trusted, ReadTrustedKeys(verify_keys));
  TwoSets out;
  BG_ASSIGN_OR_RETURN(out.first, ReadImaSet(first, trusted));
  BG_ASSIGN_OR_RETURN(out.second, ReadImaSet(second, trusted));
  return out;
}

struct Imported {
  SetPtr set;
  std::vector<Remark> remarks;
};
absl::StatusOr<Imported> Import(const ImaImportOptions& options) {
  BG_ASSIGN_OR_RETURN(const reference::TrustedKeys trusted, ReadTrustedKeys(options.verify_keys));
  BG_ASSIGN_OR_RETURN(const reference::SignedFile file,
                      ReadSigned(options.file, reference::kMaxKeylimeBytes,
                                 reference::kKeylimePayloadType, trusted));
  const std::optional<reference::DigestAlg> bare = reference::DigestAlgFromName(options.bare_32);
  if (!bare.has_value() || reference::SizeOf(*bare) != 32) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bare-digests '", Printable(options.bare_32), "': write sha256 or sm3-256"));
  }
  absl::StatusOr<reference::KeylimeImport> imported =
      reference::ImportKeylime(AsText(file.content), {.bare_32 = *bare});
  if (!imported.ok()) {
    return WithReason(InFile(options.file, imported.status()), Reason::kReferenceParse);
  }
  imported->draft.name = options.name;
  Imported out;
  BG_ASSIGN_OR_RETURN(out.set, SaveImaSet(imported->draft, options.out_file));
  const reference::SetRules& rules = imported->draft.rules;
  out.remarks = {{"signature", NameOf(file.state).data()},
                 {"excludes", rules.excludes.size()},
                 {"ignored_keyrings", rules.ignored_keyrings.size()},
                 {"verification_keys", rules.verification_keys.size()},
                 {"not_kept", imported->not_kept}};
  return out;
}

absl::StatusOr<SetPtr> MergeFiles(const ImaMergeOptions& options, absl::Time now) {
  reference::UpdatePlan plan;
  BG_ASSIGN_OR_RETURN(plan.at, ReadTime("--at", options.at, now));
  BG_ASSIGN_OR_RETURN(plan.grace, ReadDuration("--grace", options.grace));
  BG_ASSIGN_OR_RETURN(const TwoSets sets,
                      ReadTwo(options.older, options.newer, options.verify_keys));
  return SaveImaSet(reference::Merge(sets.first.set->ToDraft(), sets.second.set->ToDraft(), plan),
                    options.out_file);
}

struct Expired {
  SetPtr set;
  reference::ExpireCounts counts;
};
absl::StatusOr<Expired> ExpireFile(const ImaExpireOptions& options, absl::Time now) {
  if (options.against.empty() && options.drop_before.empty()) {
    return absl::InvalidArgumentError("name what to expire by: --against SET, --drop-before TIME");
  }
  BG_ASSIGN_OR_RETURN(const absl::Time at, ReadTime("--at", options.at, now));
  BG_ASSIGN_OR_RETURN(const reference::TrustedKeys trusted, ReadTrustedKeys(options.verify_keys));
  BG_ASSIGN_OR_RETURN(const ReadSet set, ReadImaSet(options.set, trusted));
  SetDraft draft = set.set->ToDraft();
  draft.created.clear();
  Expired out;
  if (!options.against.empty()) {
    BG_ASSIGN_OR_RETURN(const ReadSet against, ReadImaSet(options.against, trusted));
    out.counts = reference::CloseMissing(&draft, against.set->ToDraft(), at);
  }
  if (!options.drop_before.empty()) {
    BG_ASSIGN_OR_RETURN(const absl::Time before,
                        ReadTime("--drop-before", options.drop_before, now));
    out.counts.dropped += reference::DropClosed(&draft, before).dropped;
  }
  BG_ASSIGN_OR_RETURN(out.set, SaveImaSet(draft, options.out_file));
  return out;
}

std::string TimeText(int64_t seconds, absl::string_view open) {
  return seconds == 0 ? std::string(open) : FormatUtc(absl::FromUnixSeconds(seconds));
}

std::string WindowText(const reference::Window& window) {
  return absl::StrCat(TimeText(window.not_before, "always"), " .. ",
                      TimeText(window.not_after, "open"));
}

ordered_json WindowJson(const reference::Window& window) {
  return {{"not_before", window.not_before}, {"not_after", window.not_after}};
}

ordered_json Paths(const std::vector<std::string>& paths) {
  ordered_json out = ordered_json::array();
  for (const std::string& path : paths) out.push_back(Printable(path, reference::kMaxSetPath));
  return out;
}

ordered_json DiffJson(const reference::SetDiff& diff) {
  ordered_json changed = ordered_json::array(), windows = ordered_json::array();
  for (const reference::ChangedPath& row : diff.changed) {
    changed.push_back({{"path", Printable(row.path, reference::kMaxSetPath)},
                       {"kind", std::string(NameOf(row.kind))},
                       {"only_before", row.only_before},
                       {"only_after", row.only_after}});
  }
  for (const reference::ChangedWindow& row : diff.windows) {
    windows.push_back({{"path", Printable(row.path, reference::kMaxSetPath)},
                       {"digest", row.digest},
                       {"before", WindowJson(row.before)},
                       {"after", WindowJson(row.after)}});
  }
  return {{"added", Paths(diff.added)},
          {"removed", Paths(diff.removed)},
          {"changed", std::move(changed)},
          {"windows", std::move(windows)},
          {"rules_changed", diff.rules_changed}};
}

template <typename Rows, typename Text>
void PrintRows(std::ostream& out, absl::string_view sign, const Rows& rows, Text text) {
  size_t shown = 0;
  for (const auto& row : rows) {
    if (++shown > kMaxShownRows) {
      out << sign << " and " << rows.size() - kMaxShownRows << " more (-o json has all)\n";
      return;
    }
    out << sign << " " << text(row) << "\n";
  }
}

void PrintDiff(const reference::SetDiff& diff, std::ostream& out) {
  const auto shown = [](const std::string& path) { return Printable(path, kMaxShownPath); };
  out << diff.added.size() << " paths added, " << diff.removed.size() << " removed, "
      << diff.changed.size() << " changed, " << diff.windows.size() << " windows changed"
      << (diff.rules_changed ? ", rules changed" : "") << "\n";
  PrintRows(out, "+", diff.added, shown);
  PrintRows(out, "-", diff.removed, shown);
  PrintRows(out, "~", diff.changed,
            [&](const reference::ChangedPath& row) { return shown(row.path); });
  PrintRows(out, "t", diff.windows, [&](const reference::ChangedWindow& row) {
    return absl::StrCat(shown(row.path), "  ", WindowText(row.before), " -> ",
                        WindowText(row.after));
  });
}

// How many digests there are of each algorithm and kind, and in which windows.
struct Tally {
  std::map<std::string, size_t> algorithms, kinds;
  size_t open = 0, closed = 0, future = 0;
};
Tally TallyOf(const ImaSet& set, absl::Time now) {
  Tally tally;
  const int64_t at = absl::ToUnixSeconds(now);
  for (const reference::SetItem& item : set.ToDraft().items) {
    ++tally.algorithms[std::string(NameOf(item.alg))];
    ++tally.kinds[std::string(NameOf(item.kind))];
    if (item.window.not_before > at) {
      ++tally.future;
    } else {
      ++(item.window.open() || item.window.not_after >= at ? tally.open : tally.closed);
    }
  }
  return tally;
}

std::string PackageText(const reference::PackageView& package) {
  return Printable(absl::StrCat(package.name, " ", package.version, " (", package.origin, ")"));
}

ordered_json VariantJson(const reference::SetVariant& variant) {
  ordered_json json = {{"digest", absl::StrCat(NameOf(variant.alg), ":", ToHex(variant.digest))},
                       {"kind", std::string(NameOf(variant.kind))},
                       {"window", WindowJson(variant.terms.window)}};
  if (variant.terms.package) json["package"] = PackageText(*variant.terms.package);
  if (variant.terms.replaced_by) json["replaced_by"] = PackageText(*variant.terms.replaced_by);
  return json;
}

ordered_json ShowJson(const ReadSet& read, const Tally& tally, const ImaShowOptions& options) {
  ordered_json json = SummaryJson(*read.set);
  const reference::SetRules rules = read.set->rules();
  json["signature"] = std::string(NameOf(read.state));
  json["algorithms"] = tally.algorithms;
  json["kinds"] = tally.kinds;
  json["windows"] = {{"good_now", tally.open}, {"closed", tally.closed}, {"later", tally.future}};
  json["excludes"] = Paths(rules.excludes);
  json["ignored_keyrings"] = Paths(rules.ignored_keyrings);
  json["verification_keys"] = rules.verification_keys.size();
  if (!options.path.empty()) {
    json["path"] = Printable(options.path, reference::kMaxSetPath);
    json["listed"] = ordered_json::array();
    for (const reference::SetVariant& variant : read.set->VariantsOf(options.path)) {
      json["listed"].push_back(VariantJson(variant));
    }
  }
  return json;
}

std::string Counted(const std::map<std::string, size_t>& counts) {
  return absl::StrJoin(counts, ", ", [](std::string* out, const auto& row) {
    absl::StrAppend(out, row.second, " ", row.first);
  });
}

void PrintShow(const ReadSet& read, const Tally& tally, const ImaShowOptions& options,
               std::ostream& out) {
  const ImaSet& set = *read.set;
  const reference::SetCounts counts = set.counts();
  const reference::SetRules rules = set.rules();
  out << FormatPairs({{"id", set.id()},
                      {"name", OrDash(std::string(set.name()))},
                      {"origin", OrDash(std::string(set.origin()))},
                      {"created", OrDash(std::string(set.created()))},
                      {"signature", std::string(NameOf(read.state))},
                      {"size", absl::StrCat(set.file().size(), " bytes")},
                      {"paths", absl::StrCat(counts.paths)},
                      {"digests", absl::StrCat(counts.items, ": ", Counted(tally.algorithms))},
                      {"kinds", Counted(tally.kinds)},
                      {"windows", absl::StrCat(tally.open, " good now, ", tally.closed, " closed, ",
                                               tally.future, " later")},
                      {"packages", absl::StrCat(counts.packages)},
                      {"excludes", absl::StrCat(rules.excludes.size())},
                      {"keys", absl::StrCat(rules.verification_keys.size())}});
  if (options.path.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const reference::SetVariant& variant : set.VariantsOf(options.path)) {
    rows.push_back({absl::StrCat(NameOf(variant.alg), ":", ToHex(variant.digest)),
                    std::string(NameOf(variant.kind)), WindowText(variant.terms.window),
                    variant.terms.package ? PackageText(*variant.terms.package) : "-"});
  }
  out << "\n" << FormatTable({"DIGEST", "OF", "GOOD", "PACKAGE"}, rows);
}

}  // namespace

ExitCode ImaBuild(const ImaBuildOptions& options, const ImaSetOutput& to) {
  Builder builder(options, to);
  const absl::StatusOr<SetPtr> set = builder.Run();
  if (!set.ok()) return Fail(to.err, set.status());
  return TellWritten(**set, options.out_file, builder.Remarks(), to);
}

ExitCode ImaImport(const ImaImportOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<Imported> imported = Import(options);
  if (!imported.ok()) return Fail(to.err, imported.status());
  return TellWritten(*imported->set, options.out_file, imported->remarks, to);
}

ExitCode ImaMerge(const ImaMergeOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<SetPtr> set = MergeFiles(options, to.clock.Now());
  if (!set.ok()) return Fail(to.err, set.status());
  return TellWritten(**set, options.out_file, {}, to);
}

ExitCode ImaDiff(const ImaDiffOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<TwoSets> sets = ReadTwo(options.before, options.after, options.verify_keys);
  if (!sets.ok()) return Fail(to.err, sets.status());
  const reference::SetDiff diff =
      reference::Compare(sets->first.set->ToDraft(), sets->second.set->ToDraft());
  if (to.format == OutputFormat::kJson) {
    to.out << Dump(DiffJson(diff));
  } else {
    PrintDiff(diff, to.out);
  }
  return ExitCode::kSuccess;
}

ExitCode ImaExpire(const ImaExpireOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<Expired> expired = ExpireFile(options, to.clock.Now());
  if (!expired.ok()) return Fail(to.err, expired.status());
  return TellWritten(*expired->set, options.out_file,
                     {{"closed", expired->counts.closed}, {"dropped", expired->counts.dropped}},
                     to);
}

ExitCode ImaShow(const ImaShowOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<reference::TrustedKeys> trusted = ReadTrustedKeys(options.verify_keys);
  if (!trusted.ok()) return Fail(to.err, trusted.status());
  const absl::StatusOr<ReadSet> read = ReadImaSet(options.set, *trusted);
  if (!read.ok()) return Fail(to.err, read.status());
  const Tally tally = TallyOf(*read->set, to.clock.Now());
  if (to.format == OutputFormat::kJson) {
    to.out << Dump(ShowJson(*read, tally, options));
  } else {
    PrintShow(*read, tally, options, to.out);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
