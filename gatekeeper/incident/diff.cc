#include "gatekeeper/incident/diff.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/cel/log.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "gatekeeper/diagnosis/diff.h"
#include "gatekeeper/diagnosis/explain.h"
#include "gatekeeper/diagnosis/user_records.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/incident/admitted.h"
#include "gatekeeper/incident/frozen_judgement.h"

namespace bootgate::gatekeeper::incident {
namespace {

using registers::RegisterBank;
using store::EvidenceParts;

constexpr size_t kMaxShown = 60;         // differences in words
constexpr size_t kMaxShownPath = 1024;   // bytes
constexpr size_t kMaxCandidates = 1000;  // peers that are looked at

std::string SayPcr(uint32_t index) { return absl::StrCat("PCR ", index); }

absl::Status Gone(absl::string_view what) {
  return Refuse(absl::StatusCode::kNotFound, Reason::kEvidenceGone, what);
}

std::vector<RegisterBank> BanksOf(const std::vector<tpm2::UntrustedPcr>& values) {
  std::vector<RegisterBank> banks;
  for (const tpm2::UntrustedPcr& value : values) {
    auto bank = std::ranges::find(banks, value.bank, &RegisterBank::alg);
    if (bank == banks.end()) bank = banks.insert(banks.end(), RegisterBank(value.bank));
    const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(value.bank, value.value);
    if (digest.ok()) bank->Set(value.index, *digest);
  }
  return banks;
}

// One boot, as far as it is kept.
struct Side {
  Bytes boot_log, user_log;
  std::vector<RegisterBank> banks;
  std::optional<std::vector<FilePrint>> files;  // sorted; none: not kept
};

absl::StatusOr<Bytes> Blob(store::Store& store, const EvidenceParts& parts,
                           absl::string_view part) {
  const auto found = parts.find(std::string(part));
  if (found == parts.end()) return Bytes();
  absl::StatusOr<Bytes> bytes = store.GetBlob(found->second);
  if (absl::IsNotFound(bytes.status()))
    return Gone(absl::StrCat("the part ", part, " is not kept any more"));
  return bytes;
}

absl::StatusOr<Side> AdmittedSide(store::Store& store, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(const EvidenceParts parts, store.GetEvidence(host_id));
  if (parts.empty())
    return Gone(absl::StrCat("nothing is kept that host ", host_id, " was admitted with"));
  Side side;
  BG_ASSIGN_OR_RETURN(side.boot_log, Blob(store, parts, kBootLogPart));
  BG_ASSIGN_OR_RETURN(side.user_log, Blob(store, parts, kUserLogPart));
  BG_ASSIGN_OR_RETURN(const Bytes pcrs, Blob(store, parts, kPcrsPart));
  BG_ASSIGN_OR_RETURN(const auto values, ReadPcrsJson(std::string(pcrs.begin(), pcrs.end())));
  side.banks = BanksOf(values);
  if (!parts.contains(std::string(kImaFilesPart))) return side;
  BG_ASSIGN_OR_RETURN(const Bytes prints, Blob(store, parts, kImaFilesPart));
  BG_ASSIGN_OR_RETURN(side.files, ReadFilePrints(prints));
  return side;
}

// The incident's judgements, by verdict.
absl::StatusOr<std::map<std::string, FrozenJudgement>> FrozenOf(store::Store& store,
                                                                const std::string& incident_id) {
  BG_ASSIGN_OR_RETURN(const EvidenceParts kept, store.GetEvidence(incident_id));
  std::map<std::string, Parts> groups;
  for (const auto& [name, digest] : kept) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos) continue;
    BG_ASSIGN_OR_RETURN(groups[name.substr(0, slash)][name.substr(slash + 1)],
                        Blob(store, kept, name));
  }
  std::map<std::string, FrozenJudgement> out;
  for (const auto& [verdict, parts] : groups) {
    BG_ASSIGN_OR_RETURN(FrozenJudgement judgement, Unpack(parts));
    out.emplace(verdict, std::move(judgement));
  }
  return out;
}

class Comparison {
 public:
  Comparison(const Side& good, const FrozenJudgement& bad, const FrozenJudgement& bad_list,
             bool same_host, IncidentDiff* out)
      : good_(good),
        bad_(bad),
        list_(bad_list),
        same_host_(same_host),
        quoted_(BanksOf(bad.evidence.quote.values)),
        good_log_(eventlog::Log::Parse(good.boot_log)),
        bad_log_(eventlog::Log::Parse(bad.evidence.boot_log)),
        out_(*out) {}

  void Run() {
    BootLogs();
    LogAgainstQuote();
    UserLogs();
    Registers();
    Files();
  }

 private:
  void Add(Difference difference) {
    difference.text = Printable(difference.text, kMaxShownPath);
    if (out_.differences.size() < kMaxDifferences)
      out_.differences.push_back(std::move(difference));
    else
      ++out_.left_out;
  }

  void BootLogs() {
    if (good_.boot_log.empty() || bad_.evidence.boot_log.empty()) {
      if (good_.boot_log.empty() != bad_.evidence.boot_log.empty()) {
        Add({.part = "boot log",
             .register_index = std::nullopt,
             .text = bad_.evidence.boot_log.empty() ? "the failing boot has no log"
                                                    : "the good boot had no log"});
      }
      return;
    }
    const absl::StatusOr<diagnosis::LogDifference> difference =
        diagnosis::CompareLogs(good_log_, bad_log_, std::nullopt);
    if (!difference.ok()) {
      out_.not_compared.push_back(absl::StrCat("boot logs: ", difference.status().message()));
      return;
    }
    out_.causes = difference->causes;
    for (const diagnosis::RegisterDifference& row : difference->registers) {
      if (row.changes.empty())
        Add({.part = "boot log", .register_index = row.register_index, .text = row.note});
      for (const diagnosis::EventChange& change : row.changes) {
        Add({.part = "boot log",
             .register_index = row.register_index,
             .text = change.text,
             .before = change.was,
             .after = change.is});
      }
    }
  }

  // Where the failing log is not what the TPM saw, its story is not to be believed.
  void LogAgainstQuote() {
    if (bad_.evidence.boot_log.empty()) return;
    const cel::Log user = cel::Log::Parse(bad_.evidence.user_log);
    const diagnosis::Diagnosis diagnosis =
        diagnosis::Explain(bad_log_, quoted_, good_.boot_log.empty() ? nullptr : &good_log_,
                           bad_.evidence.user_log.empty() ? nullptr : &user);
    for (const diagnosis::BankDiagnosis& bank : diagnosis.banks) {
      for (const eventlog::Unexplained& row : bank.unexplained) {
        const uint32_t index = row.register_index;
        if (((bad_.runtime_extended >> index) & 1u) != 0) continue;
        Add({.part = "registers",
             .register_index = index,
             .text = absl::StrCat("the log does not lead to the quoted value (",
                                  crypto::Name(bank.bank), "): ", row.why.text),
             .before = row.replayed.hex(),
             .after = row.quoted.hex()});
      }
    }
  }

  void UserLogs() {
    const Bytes& was = good_.user_log;
    const Bytes& is = bad_.evidence.user_log;
    if (was == is) return;
    if (was.empty() || is.empty()) {
      Add({.part = "user-space log",
           .register_index = std::nullopt,
           .text = was.empty() ? "the good boot had none, the failing one has"
                               : "the good boot had one, the failing one has none"});
      return;
    }
    CompareRecords(cel::Log::Parse(was), cel::Log::Parse(is));
  }

  // Records are in order of time: the first that differs is where the stories part.
  void CompareRecords(const cel::Log& was, const cel::Log& is) {
    const size_t common = std::min(was.records().size(), is.records().size());
    size_t at = 0;
    while (at < common && was.records()[at].digests == is.records()[at].digests) ++at;
    if (at == was.records().size() && at == is.records().size()) return;
    const auto said = [at](const cel::Log& log) {
      return at < log.records().size() ? diagnosis::SayRecord(log.records()[at])
                                       : std::string("the log's end");
    };
    Add({.part = "user-space log",
         .register_index = at < is.records().size() ? is.records()[at].pcr : std::nullopt,
         .text = absl::StrCat("the logs part at record ", at, " (", was.records().size(),
                              " records before, ", is.records().size(), " now)"),
         .before = said(was),
         .after = said(is)});
  }

  void Registers() {
    for (const RegisterBank& good : good_.banks) {
      const auto bad = std::ranges::find(quoted_, good.alg(), &RegisterBank::alg);
      if (bad == quoted_.end()) {
        out_.not_compared.push_back(
            absl::StrCat("registers of ", crypto::Name(good.alg()), ": not in the failing quote"));
        continue;
      }
      for (uint32_t i = 0; i < registers::kCount; ++i) CompareRegister(i, good, *bad);
    }
  }

  void CompareRegister(uint32_t index, const RegisterBank& good, const RegisterBank& bad) {
    const std::optional<crypto::Digest> was = good.Get(index), is = bad.Get(index);
    if (!was.has_value() || !is.has_value() || *was == *is) return;
    Add({.part = "registers",
         .register_index = index,
         .text = absl::StrCat("the value in ", crypto::Name(good.alg()), " is another"),
         .before = was->hex(),
         .after = is->hex()});
  }

  void Files() {
    const evidence::ImaPart& part = list_.evidence.ima;
    if (part.before_quote.empty()) return;
    // A part of a list begins behind what was admitted in the same boot: all of it is new.
    const bool is_part = part.first_entry > 0;
    if (!is_part && !good_.files.has_value()) {
      out_.not_compared.push_back("the IMA list: no whole list that was admitted is kept");
      return;
    }
    if (is_part && !same_host_) {
      out_.not_compared.push_back(
          absl::StrCat("the first ", part.first_entry, " IMA entries: only this host had them"));
    }
    const ima::List list = ima::List::Parse(part.before_quote);
    size_t found = 0;
    for (const ima::Entry& entry : list.entries()) {
      if (entry.HoldsBuffer() || IsKnown(entry, is_part)) continue;
      if (++found <= kMaxNewFiles) AddFile(entry, part.first_entry);
    }
    if (found > kMaxNewFiles) out_.left_out += found - kMaxNewFiles;
  }

  bool IsKnown(const ima::Entry& entry, bool is_part) const {
    if (entry.path == "boot_aggregate") return true;  // of this boot alone
    if (is_part && same_host_) return false;
    if (same_host_ && entry.number < list_.host.admitted_ima_entries) return true;
    return good_.files.has_value() && std::ranges::binary_search(*good_.files, PrintOf(entry));
  }

  void AddFile(const ima::Entry& entry, uint64_t first_entry) {
    Add({.part = "IMA list",
         .register_index = entry.register_index,
         .text = absl::StrCat("new file ", Printable(entry.path, kMaxShownPath), " (entry ",
                              first_entry + entry.number, ")"),
         .before = "",
         .after = absl::StrCat(Printable(entry.digest_name, 32), ":", ToHex(entry.file_digest))});
  }

  const Side& good_;
  const FrozenJudgement& bad_;
  const FrozenJudgement& list_;  // the judgement that has the most of the IMA list
  const bool same_host_;
  const std::vector<RegisterBank> quoted_;
  const eventlog::Log good_log_, bad_log_;
  IncidentDiff& out_;
};

size_t SameRegisters(const std::vector<RegisterBank>& a, const std::vector<RegisterBank>& b) {
  size_t same = 0;
  for (const RegisterBank& bank : a) {
    const auto other = std::ranges::find(b, bank.alg(), &RegisterBank::alg);
    if (other == b.end()) continue;
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = bank.Get(i);
      if (value.has_value() && value == other->Get(i)) ++same;
    }
  }
  return same;
}

struct Peer {
  std::string host_id, why;
};

absl::StatusOr<Peer> NamedPeer(store::Store& store, const std::string& host_id) {
  const absl::StatusOr<host::HostRecord> host = store.GetHost(host_id);
  if (absl::IsNotFound(host.status())) return WithReason(host.status(), Reason::kHostUnknown);
  BG_RETURN_IF_ERROR(host.status());
  if (host->trust != host::Trust::kTrusted) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostState,
                  absl::StrCat("host ", host_id, " is ", host::Name(host->trust),
                               "; a peer to compare with must be trusted"));
  }
  return Peer{.host_id = host_id, .why = "it was named"};
}

// The trusted host with the same labels, so under the same policy, whose registers are most like
// those of the failing boot: what differs from it is what failed, not what is another model.
absl::StatusOr<Peer> ChoosePeer(store::Store& store, const FrozenJudgement& bad) {
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts,
                      store.ListHostsAfter("", kMaxCandidates, {host::Trust::kTrusted}, nullptr));
  const std::vector<RegisterBank> quoted = BanksOf(bad.evidence.quote.values);
  std::optional<Peer> best;
  size_t most = 0;
  for (const host::HostRecord& host : hosts) {
    if (host.id == bad.host.id || host.labels != bad.host.labels) continue;
    const absl::StatusOr<Side> side = AdmittedSide(store, host.id);
    if (!side.ok()) continue;
    const size_t same = SameRegisters(side->banks, quoted);
    if (best.has_value() && same <= most) continue;
    most = same;
    best = Peer{.host_id = host.id,
                .why = absl::StrCat("trusted, with the same labels; ", same,
                                    " of its registers are those of the failing boot")};
  }
  if (best.has_value()) return *best;
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostState,
                absl::StrCat("there is no trusted host with the labels of ", bad.host.id,
                             "; name one to compare with"));
}

absl::StatusOr<Peer> PeerOf(store::Store& store, const DiffRequest& request,
                            const FrozenJudgement& bad) {
  if (request.against == Against::kAdmitted)
    return Peer{.host_id = bad.host.id, .why = "what the host itself was last admitted with"};
  if (!request.peer_host_id.empty()) return NamedPeer(store, request.peer_host_id);
  return ChoosePeer(store, bad);
}

// The one whose list begins at the first entry, if there is one.
const FrozenJudgement& WithMostOfTheList(const std::map<std::string, FrozenJudgement>& frozen,
                                         const FrozenJudgement& first) {
  for (const auto& [verdict, judgement] : frozen) {
    if (judgement.evidence.ima.first_entry == 0 && judgement.at >= first.at &&
        !judgement.evidence.ima.before_quote.empty() && first.evidence.ima.first_entry > 0)
      return judgement;
  }
  return first;
}

}  // namespace

absl::StatusOr<IncidentDiff> Compare(store::Store& store, const DiffRequest& request) {
  const absl::StatusOr<store::IncidentRow> incident = store.GetIncident(request.incident_id);
  if (absl::IsNotFound(incident.status())) {
    return Refuse(absl::StatusCode::kNotFound, Reason::kIncidentUnknown,
                  absl::StrCat("there is no incident ", Printable(request.incident_id, 64)));
  }
  BG_RETURN_IF_ERROR(incident.status());
  BG_ASSIGN_OR_RETURN(const auto frozen, FrozenOf(store, request.incident_id));
  const auto first = frozen.find(incident->first_verdict_id);
  if (frozen.empty()) {
    return Gone(incident->opened_by.empty()
                    ? "the incident keeps no evidence"
                    : "an operator opened this incident: no evidence failed, so none was frozen");
  }
  const FrozenJudgement& bad = first == frozen.end() ? frozen.begin()->second : first->second;
  BG_ASSIGN_OR_RETURN(const Peer peer, PeerOf(store, request, bad));
  BG_ASSIGN_OR_RETURN(const Side good, AdmittedSide(store, peer.host_id));
  IncidentDiff diff;
  diff.incident_id = request.incident_id;
  diff.host_id = bad.host.id;
  diff.against_host_id = peer.host_id;
  diff.why_this_one = peer.why;
  // The part says which files came since the last admission; the whole list is for other hosts.
  const bool same_host = peer.host_id == bad.host.id;
  const FrozenJudgement& list = same_host ? bad : WithMostOfTheList(frozen, bad);
  Comparison(good, bad, list, same_host, &diff).Run();
  return diff;
}

std::string Words(const IncidentDiff& diff) {
  std::string out = absl::StrCat("The failing boot of ", diff.host_id, " against ",
                                 diff.against_host_id, " (", diff.why_this_one, ")\n");
  if (diff.differences.empty() && diff.causes.empty())
    absl::StrAppend(&out, "Nothing differs in what was compared.\n");
  if (!diff.causes.empty()) absl::StrAppend(&out, "Most likely:\n");
  for (const std::string& cause : diff.causes) absl::StrAppend(&out, "  * ", cause, "\n");
  std::string part;
  size_t shown = 0;
  for (const Difference& row : diff.differences) {
    if (++shown > kMaxShown) break;
    if (row.part != part) absl::StrAppend(&out, row.part, ":\n");
    part = row.part;
    absl::StrAppend(&out, "  ",
                    row.register_index.has_value() ? SayPcr(*row.register_index) + ": " : "",
                    row.text, row.part == "IMA list" ? "  " + row.after : "", "\n");
  }
  const size_t hidden =
      diff.left_out + diff.differences.size() - std::min(diff.differences.size(), kMaxShown);
  if (hidden > 0) absl::StrAppend(&out, "and ", hidden, " more\n");
  for (const std::string& row : diff.not_compared)
    absl::StrAppend(&out, "not compared: ", row, "\n");
  return out;
}

}  // namespace bootgate::gatekeeper::incident
