// A whole attestation without network and store: the quote, the binding of the logs, boot log, IMA
// list against a reference set, policy, verdict. First of a host that is not known; then of one
// whose list has grown since (steady).
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/evidence/evidence.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/reference/imaset/write.h"
#include "gatekeeper/reference/sources/sums.h"
#include "tests/bench/bench.h"
#include "tests/bench/quote_case.h"

namespace bootgate::bench {
namespace {

namespace admission = gatekeeper::admission;
namespace reference = gatekeeper::reference;

// What the policies of the shipped library begin with.
constexpr absl::string_view kSecureBootPolicy = R"(version=1.0;
authorizationrules {
  [type=="aikValidated", value==true, issuer=="AttestationService"] &&
  [type=="secureBootEnabled", value==true, issuer=="AttestationService"] => permit();
};
issuancerules { => issue(type="PlatformAttested", value=true); };
)";
// What gen_quote.py puts into PCR 16 is in no log.
constexpr uint32_t kDataRegister = 1u << 16;
constexpr uint32_t kImaRegister = 10;

struct World {
  QuoteCase quote;
  tpm2::Public ak;
  registers::Selection selection;
  Bytes log, list;
  std::shared_ptr<const reference::ImaSet> set;
  reference::Reference golden;
  gatekeeper::policy::Policy policy;
};

// Everything that is not in the boot log or in the set fails.
absl::StatusOr<reference::Reference> GoldenOf(ByteView log_bytes, const std::string& set) {
  const eventlog::Log log = eventlog::Log::Parse(log_bytes);
  const ima::List empty = ima::List::Parse({});
  reference::Reference golden = reference::Learn({.log = log,
                                                  .banks = {crypto::HashAlg::kSha256},
                                                  .mask = 0x3ff,
                                                  .ima = &empty,
                                                  .ima_entries = 0,
                                                  .unlisted = reference::Unlisted::kFail});
  golden.ima.present = true;
  golden.ima.rules.sets = {set};
  return golden;
}

absl::StatusOr<std::shared_ptr<const reference::ImaSet>> SetOf(ByteView sums) {
  reference::SetDraft draft;
  BG_RETURN_IF_ERROR(reference::AddSums(AsText(sums), &draft));
  BG_ASSIGN_OR_RETURN(Bytes bytes, reference::WriteSet(draft));
  return reference::ImaSet::FromBytes(std::move(bytes));
}

absl::StatusOr<World> LoadWorld(absl::string_view case_folder, absl::string_view ima_folder,
                                absl::StatusOr<gatekeeper::policy::Policy> policy) {
  BG_RETURN_IF_ERROR(policy.status());
  World out{.policy = *std::move(policy)};
  BG_ASSIGN_OR_RETURN(out.quote, LoadQuoteCase(case_folder));
  BG_ASSIGN_OR_RETURN(out.ak, tpm2::Public::FromTpm2b(out.quote.ak));
  BG_ASSIGN_OR_RETURN(const tpm2::QuoteInfo info, tpm2::ParseQuote(out.quote.quote.attest));
  out.selection = info.selection;
  BG_ASSIGN_OR_RETURN(out.log, Load(case_folder, "eventlog.bin"));
  BG_ASSIGN_OR_RETURN(out.list, Load(ima_folder, "list.bin"));
  BG_ASSIGN_OR_RETURN(const Bytes sums, Load(ima_folder, "allow.sha256"));
  BG_ASSIGN_OR_RETURN(out.set, SetOf(sums));
  BG_ASSIGN_OR_RETURN(out.golden, GoldenOf(out.log, out.set->id()));
  return out;
}

// One attestation: import of the key, all checks of the quote, the digests of the logs that a quote
// binds, judging.
absl::StatusOr<admission::Judged> Attest(const World& world, const tpm2::RawQuote& quote,
                                         const tpm2::Public& ak, ByteView list, uint64_t first,
                                         const gatekeeper::ImaProgress* before) {
  BG_ASSIGN_OR_RETURN(
      const tpm2::QuotedPcrs quoted,
      tpm2::QuotedPcrs::Verify({ak, {}, world.selection, world.quote.nonce}, quote));
  const Bytes bound = evidence::QualifyingData({.nonce = world.quote.nonce,
                                                .boot_log = world.log,
                                                .ima_first_entry = first,
                                                .ima_before_quote = list});
  if (bound.empty()) return absl::InternalError("no qualifying data");
  admission::JudgeInput input{
      .quoted = quoted,
      .boot_log = world.log,
      .ima = {.list = list, .bound_entries = std::numeric_limits<size_t>::max(), .before = before},
      .logs_bound = true,
      .policy = &world.policy,
      .reference = &world.golden,
      .sets = {world.set},
      .now = absl::UnixEpoch(),
      .boot_options = {.runtime_extended = kDataRegister}};
  input.extra_claims.push_back({.type = "aikValidated", .value = true});
  admission::Judged judged = admission::JudgeAndKeep(input);
  if (judged.verdict.outcome == OutcomeClass::kAdmit) return judged;
  std::string why = std::string(Name(judged.verdict.outcome));
  for (const gatekeeper::Finding& finding : judged.verdict.findings) {
    if (finding.severity == gatekeeper::Severity::kFail)
      absl::StrAppend(&why, "; ", Code(finding.code), " ", finding.text);
  }
  return absl::PermissionDeniedError(why.substr(0, 1000));
}

absl::Status Measure(absl::string_view name, const World& world, absl::string_view iterations) {
  return Repeat(name, iterations, [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpm2b(world.quote.ak));
    return Attest(world, world.quote.quote, ak, world.list, 0, nullptr).status();
  });
}

absl::StatusOr<gatekeeper::policy::Policy> ReadPolicy(absl::string_view text) {
  gatekeeper::policy::ParseError error;
  auto policy = gatekeeper::policy::Policy::Read(text, &error);
  if (policy.has_value()) return *std::move(policy);
  return absl::InvalidArgumentError(error.message);
}

// The registers of the case, but for PCR 10.
std::vector<registers::RegisterBank> BanksAt(const World& world, const crypto::Digest& pcr10) {
  registers::RegisterBank bank(crypto::HashAlg::kSha256);
  for (const tpm2::UntrustedPcr& pcr : world.quote.quote.values) {
    const auto value = crypto::Digest::From(pcr.bank, pcr.value);
    if (value.ok()) bank.Set(pcr.index, *value);
  }
  bank.Set(kImaRegister, pcr10);
  return {bank};
}

// What is known of the host after its first `from` entries.
absl::StatusOr<gatekeeper::ImaProgress> ProgressAt(const World& world, size_t from,
                                                   const crypto::Digest& pcr10) {
  const tpm2::soft_tpm::SoftAk ak = tpm2::soft_tpm::SoftAk::Ecc();
  const tpm2::RawQuote quote = ak.Quote(world.selection, BanksAt(world, pcr10), world.quote.nonce);
  const ima::List list = ima::List::Parse(world.list);
  if (from == 0 || from >= list.entries().size())
    return absl::InvalidArgumentError("the list has no such entry");
  const ByteView begin = ByteView(world.list).first(list.entries().RecordAt(from).offset);
  BG_ASSIGN_OR_RETURN(admission::Judged judged, Attest(world, quote, ak.area(), begin, 0, nullptr));
  if (!judged.ima.has_value()) return absl::InternalError("nothing is kept of the list");
  return *std::move(judged.ima);
}

}  // namespace

absl::Status RunAttest(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const World world,
                      LoadWorld(arguments[0], arguments[1], ReadPolicy(kSecureBootPolicy)));
  return Measure("attest", world, arguments[2]);
}

absl::Status RunAttestWith(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const World world,
                      LoadWorld(arguments[1], arguments[2], LoadPolicy(arguments[0])));
  return Measure("attest-with", world, arguments[3]);
}

absl::Status RunSteady(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const World world,
                      LoadWorld(arguments[0], arguments[1], ReadPolicy(kSecureBootPolicy)));
  size_t from = 0;
  if (!absl::SimpleAtoi(arguments[2], &from))
    return absl::InvalidArgumentError("FROM is the number of an entry");
  BG_ASSIGN_OR_RETURN(const Bytes register_bytes, FromHex(arguments[3]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest pcr10,
                      crypto::Digest::From(crypto::HashAlg::kSha256, register_bytes));
  BG_ASSIGN_OR_RETURN(const gatekeeper::ImaProgress before, ProgressAt(world, from, pcr10));
  const ima::List list = ima::List::Parse(world.list);
  const ByteView grown = ByteView(world.list).subspan(list.entries().RecordAt(from).offset);
  return Repeat("steady", arguments[4], [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpm2b(world.quote.ak));
    return Attest(world, world.quote.quote, ak, grown, from, &before).status();
  });
}

}  // namespace bootgate::bench
