#include "gatekeeper/diagnosis/predict.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/eventlog/explain/chain.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using crypto::HashAlg;

constexpr size_t kShownText = 80;  // bytes of a wrong argument

// New digests by bank and event number.
using NewDigests = std::map<HashAlg, std::map<uint32_t, crypto::Digest>>;

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(text, kShownText), "': ", why,
                   "; write EVENT=DIGEST, as in 45=", "<64 hexadecimal digits of SHA-256>"));
}

std::string SayBanks(const eventlog::Log& log) {
  return absl::StrJoin(log.banks(), ", ", [](std::string* out, HashAlg alg) {
    absl::StrAppend(out, crypto::Name(alg), " (", crypto::DigestSize(alg), " bytes)");
  });
}

absl::StatusOr<HashAlg> BankFor(const eventlog::Log& log, const Replacement& replacement) {
  std::vector<HashAlg> fitting;
  for (const HashAlg alg : log.banks()) {
    const bool named = !replacement.bank.has_value() || *replacement.bank == alg;
    if (named && crypto::DigestSize(alg) == replacement.digest.size()) fitting.push_back(alg);
  }
  if (fitting.size() == 1) return fitting[0];
  return absl::InvalidArgumentError(absl::StrCat(
      "event ", replacement.event, ": a digest of ", replacement.digest.size(), " bytes fits ",
      fitting.empty() ? "no bank" : "several banks", " of the log, which has ", SayBanks(log),
      fitting.empty() ? "" : "; write EVENT=BANK:DIGEST"));
}

absl::Status CheckEvent(const eventlog::Log& log, HashAlg bank, uint32_t number) {
  if (number >= log.events().size()) {
    return absl::InvalidArgumentError(absl::StrCat("no event ", number, " in the log: its ",
                                                   log.events().size(),
                                                   " events are numbered from 0"));
  }
  const eventlog::Event& event = log.events()[number];
  if (!event.Extends() || event.register_index >= registers::kCount) {
    return absl::InvalidArgumentError(
        absl::StrCat("event ", number, " extends no register: replacing it changes nothing"));
  }
  if (!log.DigestOf(event, bank).has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("event ", number, " has no digest of bank ", crypto::Name(bank)));
  }
  return absl::OkStatus();
}

absl::StatusOr<NewDigests> Sort(const eventlog::Log& log,
                                const std::vector<Replacement>& replacements) {
  NewDigests out;
  for (const Replacement& replacement : replacements) {
    BG_ASSIGN_OR_RETURN(const HashAlg bank, BankFor(log, replacement));
    BG_RETURN_IF_ERROR(CheckEvent(log, bank, replacement.event));
    BG_ASSIGN_OR_RETURN(const crypto::Digest digest,
                        crypto::Digest::From(bank, replacement.digest));
    if (!out[bank].emplace(replacement.event, digest).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "event ", replacement.event, " is replaced twice in bank ", crypto::Name(bank)));
    }
  }
  return out;
}

Prediction PredictRegister(const eventlog::Chain& chain, HashAlg bank, uint32_t index,
                           const std::map<uint32_t, crypto::Digest>& news) {
  crypto::Digest value = chain.start();
  for (const eventlog::Link& link : chain.links()) {
    const auto replaced = news.find(link.event->number);
    value = registers::Extended(value, replaced == news.end() ? link.digest : replaced->second);
  }
  return {bank, index, chain.Before(chain.size()), value};
}

// Whether another bank replaces an event that `mine` leaves as it is.
bool LacksSome(const NewDigests& all, const std::map<uint32_t, crypto::Digest>& mine) {
  return std::ranges::any_of(all, [&](const auto& bank) {
    return std::ranges::any_of(bank.second,
                               [&](const auto& row) { return !mine.contains(row.first); });
  });
}

}  // namespace

absl::StatusOr<Replacement> ParseReplacement(absl::string_view text) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos) return Wrong(text, "no '='");
  Replacement out;
  if (!absl::SimpleAtoi(text.substr(0, equals), &out.event)) {
    return Wrong(text, "no event number before '='");
  }
  absl::string_view hex = text.substr(equals + 1);
  if (const size_t colon = hex.find(':'); colon != absl::string_view::npos) {
    out.bank = crypto::HashAlgFromName(hex.substr(0, colon));
    if (!out.bank.has_value()) return Wrong(text, "no such bank");
    hex = hex.substr(colon + 1);
  }
  absl::StatusOr<Bytes> digest = FromHex(hex);
  if (!digest.ok() || digest->empty()) return Wrong(text, "no digest in hexadecimal after '='");
  out.digest = *std::move(digest);
  return out;
}

absl::StatusOr<Predictions> Predict(const eventlog::Log& log,
                                    const std::vector<Replacement>& replacements) {
  BG_ASSIGN_OR_RETURN(const NewDigests news, Sort(log, replacements));
  Predictions out;
  for (const HashAlg bank : log.banks()) {
    const auto mine = news.find(bank);
    if (mine == news.end() || LacksSome(news, mine->second)) out.incomplete.push_back(bank);
    if (mine == news.end()) continue;
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const eventlog::Chain chain(log, bank, i);
      if (chain.size() != 0) out.registers.push_back(PredictRegister(chain, bank, i, mine->second));
    }
  }
  return out;
}

}  // namespace bootgate::gatekeeper::diagnosis
