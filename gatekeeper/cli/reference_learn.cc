#include "gatekeeper/cli/reference_learn.h"

#include <exception>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/cel/log.h"
#include "common/tpm2/key_profile.h"
#include "gatekeeper/appraisal/boot.h"
#include "gatekeeper/appraisal/ima.h"
#include "gatekeeper/appraisal/user_log.h"
#include "gatekeeper/cli/evidence_folder.h"
#include "gatekeeper/cli/status_finding.h"
#include "gatekeeper/cli/verdict_output.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxReferenceFile = size_t{16} << 20;  // bytes, what FromJson takes
constexpr mode_t kFileMode = 0644;

std::optional<reference::Unlisted> UnlistedFrom(absl::string_view text) {
  if (text == "fail") return reference::Unlisted::kFail;
  if (text == "comparable") return reference::Unlisted::kComparable;
  if (text == "warn") return reference::Unlisted::kWarn;
  return std::nullopt;
}

std::string QuoteModeOf(const ReferenceLearnOptions& options) {
  if (options.quote) return *options.quote;
  return HasQuote(options.folder, "all") ? "all" : "sha256";
}

std::string NameOf(const ReferenceLearnOptions& options) {
  if (!options.name.empty()) return options.name;
  const std::filesystem::path path = std::filesystem::path(options.folder).lexically_normal();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

// A boot whose logs the quote proves.
struct ProvenBoot {
  appraisal::BootAppraisal boot;
  appraisal::ImaAppraisal ima;
  std::vector<Finding> failures;
};

ProvenBoot ProveBoot(const EvidenceFiles& files, const ProvenQuote& quote) {
  appraisal::ImaInput ima;
  ima.list = files.ima_list;
  ima.bound_entries = std::numeric_limits<size_t>::max();
  const cel::Log user_log = cel::Log::Parse(files.user_log);
  if (!user_log.empty()) {
    ima.at_kernel_start =
        appraisal::BeforeUserSpace(quote.quoted, eventlog::Log::Parse(files.boot_log), user_log);
  }
  ProvenBoot out{appraisal::AppraiseBoot(quote.quoted, files.boot_log, {.user_log = &user_log}),
                 appraisal::AppraiseIma(quote.quoted, ima),
                 {}};
  const auto keep = [&out](const std::vector<Finding>& findings) {
    for (const Finding& f : findings) {
      if (f.severity == Severity::kFail) out.failures.push_back(f);
    }
  };
  keep(out.boot.findings);
  keep(appraisal::AppraiseUserLog(quote.quoted, out.boot.log, user_log).findings);
  keep(out.ima.findings);
  const absl::Status fit = tpm2::CheckAk(quote.ak);
  if (!fit.ok()) out.failures.push_back(FindingFrom(fit));
  if (out.ima.behind) {
    Finding behind;
    behind.code = Reason::kImaPcrMismatch;
    behind.register_index = 10;
    behind.text = "No beginning of the IMA list leads to the quoted PCR 10.";
    out.failures.push_back(std::move(behind));
  }
  if (out.failures.empty() && !out.boot.replayed) {
    Finding nothing;
    nothing.code = Reason::kLogMissing;
    nothing.text = "The boot log proves no register: there is nothing to learn.";
    out.failures.push_back(std::move(nothing));
  }
  return out;
}

// Registers that every quoted bank proves.
uint32_t CommonMask(const tpm2::QuotedPcrs& quoted) {
  uint32_t mask = 0xffffff;
  for (const registers::RegisterBank& bank : quoted.banks()) mask &= bank.mask();
  return mask;
}

reference::Reference LearnFrom(const ReferenceLearnOptions& options, const ProvenQuote& quote,
                               const ProvenBoot& proven) {
  reference::LearnInput input{.log = proven.boot.log, .banks = {}};
  for (const registers::RegisterBank& bank : quote.quoted.banks())
    input.banks.push_back(bank.alg());
  input.mask = CommonMask(quote.quoted);
  if (proven.ima.match && proven.ima.match->entries > 0) {
    input.ima = &proven.ima.list;
    input.ima_entries = proven.ima.match->entries;
  }
  input.unlisted = UnlistedFrom(options.unlisted).value_or(reference::Unlisted::kComparable);
  input.name = NameOf(options);
  input.learned_from = options.folder;
  input.learned_at = FormatUtc(options.now);
  return reference::Learn(input);
}

void Tell(const reference::Reference& reference, const ReferenceLearnOptions& options,
          std::ostream& out) {
  const std::string& file = options.out_file;
  std::vector<std::string> banks;
  for (const auto& [alg, registers] : reference.banks) banks.emplace_back(crypto::Name(alg));
  if (options.output == "json") {
    const nlohmann::ordered_json json = {{"id", reference.id},
                                         {"name", Printable(reference.name)},
                                         {"banks", banks},
                                         {"ima_files", reference.ima.files.size()},
                                         {"ima_records", reference.ima.buffers.size()},
                                         {"file", Printable(file)}};
    out << json.dump(2) << "\n";
    return;
  }
  out << "learned " << Printable(reference.name) << " (" << reference.id << ")\n"
      << "  banks  " << absl::StrJoin(banks, ", ") << "\n";
  if (reference.ima.present) {
    out << "  IMA    " << reference.ima.files.size() << " files, " << reference.ima.buffers.size()
        << " kernel records\n";
  } else {
    out << "  IMA    none\n";
  }
  out << "  file   " << Printable(file) << "\n";
}

int UsageError(const absl::Status& status, std::ostream& err) {
  err << "reference learn: " << Printable(status.message()) << "\n";
  return static_cast<int>(ExitCode::kUsage);
}

int Refuse(const std::vector<Finding>& failures, std::ostream& err) {
  OutcomeClass outcome = OutcomeClass::kDeny;
  for (const Finding& f : failures) {
    if (Info(f.code).outcome == OutcomeClass::kReject) outcome = OutcomeClass::kReject;
  }
  err << "reference learn: the evidence does not prove its boot; nothing was learned\n";
  PrintFindings(failures, err);
  return static_cast<int>(ExitCodeOf(outcome));
}

int Save(const reference::Reference& reference, const ReferenceLearnOptions& options,
         std::ostream& out, std::ostream& err) {
  const std::string json = reference::ToJson(reference);
  if (json.size() > kMaxReferenceFile) {
    return UsageError(absl::ResourceExhaustedError(absl::StrCat(
                          "the reference would be larger than ", kMaxReferenceFile, " bytes")),
                      err);
  }
  const absl::Status written = WriteFileAtomically(options.out_file, AsBytes(json), kFileMode);
  if (!written.ok()) return UsageError(written, err);
  Tell(reference, options, out);
  return static_cast<int>(ExitCode::kSuccess);
}

absl::Status CheckOptions(const ReferenceLearnOptions& options, const std::string& mode) {
  if (!UnlistedFrom(options.unlisted)) {
    return absl::InvalidArgumentError(absl::StrCat("--unlisted ", Printable(options.unlisted, 32),
                                                   " is none of fail, comparable, warn"));
  }
  if (!IsQuoteMode(mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--quote ", Printable(mode, 32), " is none of sha256, sha384, sha512, sha1, all, ecc"));
  }
  if (options.out_file.empty()) return absl::InvalidArgumentError("--out names no file");
  return absl::OkStatus();
}

int Run(const ReferenceLearnOptions& options, std::ostream& out, std::ostream& err) {
  const std::string mode = QuoteModeOf(options);
  const absl::Status usable = CheckOptions(options, mode);
  if (!usable.ok()) return UsageError(usable, err);
  const absl::StatusOr<EvidenceFiles> files = ReadEvidence(options.folder, mode);
  if (!files.ok()) return UsageError(files.status(), err);
  const absl::StatusOr<ProvenQuote> quote = ProveQuote(*files);
  if (!quote.ok()) return Refuse({FindingFrom(quote.status())}, err);
  const ProvenBoot proven = ProveBoot(*files, *quote);
  if (!proven.failures.empty()) return Refuse(proven.failures, err);
  return Save(LearnFrom(options, *quote, proven), options, out, err);
}

}  // namespace

int RunReferenceLearn(const ReferenceLearnOptions& options, std::ostream& out, std::ostream& err) {
  try {
    return Run(options, out, err);
  } catch (const std::exception& error) {
    err << "reference learn: " << Printable(error.what()) << "\n";
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace bootgate::gatekeeper::cli
