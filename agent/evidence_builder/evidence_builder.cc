#include "agent/evidence_builder/evidence_builder.h"

#include <algorithm>

#include "agent/evidence_builder/ima_slice.h"
#include "agent/sources/user_log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::evidence_builder {
namespace {

Bytes BindingOf(const Question& question, const tpm2::Public& ak,
                const evidence::Evidence& bundle) {
  const Bytes ak_name = ak.Name();
  return evidence::QualifyingData({.nonce = question.nonce,
                                   .host_id = question.host_id,
                                   .ak_name = ak_name,
                                   .cluster_id = question.cluster_id,
                                   .boot_log = bundle.boot_log,
                                   .user_log = bundle.user_log,
                                   .ima_first_entry = bundle.ima.first_entry,
                                   .ima_count = bundle.ima.before_quote_count,
                                   .ima_before_quote = bundle.ima.before_quote,
                                   .statement = &bundle.statement});
}

// The entries that were appended after the bound ones.
absl::StatusOr<Bytes> AppendedSince(const evidence::ImaPart& bound, const sources::Paths& paths) {
  BG_ASSIGN_OR_RETURN(const Bytes list, sources::ReadImaList(paths));
  const ImaSlice now = EntriesFrom(list, bound.first_entry);
  const size_t known = bound.before_quote.size();
  if (now.first_entry != bound.first_entry || now.bytes.size() < known ||
      !SameBytes(now.bytes.first(known), bound.before_quote)) {
    return Refuse(absl::StatusCode::kAborted, Reason::kRetryLogBehind,
                  "the IMA list was replaced while the TPM quoted");
  }
  return ToBytes(now.bytes.subspan(known));
}

std::vector<registers::RegisterBank> QuotedBanks(const tpm2::RawQuote& quote) {
  std::vector<registers::RegisterBank> banks;
  for (const tpm2::UntrustedPcr& value : quote.values) {
    const auto digest = crypto::Digest::From(value.bank, value.value);
    if (banks.empty() || banks.back().alg() != value.bank) banks.emplace_back(value.bank);
    if (digest.ok()) banks.back().Set(value.index, *digest);
  }
  return banks;
}

// The identity key for the state that the quote shows, not for the one that has come since.
absl::StatusOr<evidence::CertifiedKey> CertifyKey(tpm::Tpm& tpm, tpm::AkKind ak,
                                                  const registers::Selection& seal_selection,
                                                  const tpm2::RawQuote& quote,
                                                  ByteView qualifying_data) {
  BG_ASSIGN_OR_RETURN(const Bytes policy, tpm::PcrPolicy(seal_selection, QuotedBanks(quote)));
  BG_ASSIGN_OR_RETURN(tpm::CertifiedIdentityKey key,
                      tpm.CertifyIdentityKey(ak, policy, qualifying_data));
  return evidence::CertifiedKey{key.public_area.Tpm2b(), std::move(key.certify_attest),
                                std::move(key.certify_signature)};
}

}  // namespace

absl::StatusOr<evidence::Evidence> Build(tpm::Tpm& tpm, const Options& options,
                                         const Question& question) {
  evidence::Evidence bundle{.host_id = question.host_id, .nonce = question.nonce};
  bundle.statement = options.statement;
  bundle.want_token = options.want_token;
  bundle.statement.kernel_boot_id = sources::ReadKernelBootId(options.paths);
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm.AkPublic(options.ak));
  BG_ASSIGN_OR_RETURN(bundle.boot_log, sources::ReadBootLog(options.paths));
  BG_ASSIGN_OR_RETURN(const Bytes list, sources::ReadImaList(options.paths));
  const ImaSlice bound = EntriesFrom(list, question.ima_first_entry);
  bundle.ima = {.first_entry = bound.first_entry,
                .before_quote = ToBytes(bound.bytes),
                .before_quote_count = bound.count};
  BG_ASSIGN_OR_RETURN(sources::HeldUserLog user_log, sources::HeldUserLog::Hold(options.paths));
  bundle.user_log = user_log.bytes();
  const Bytes qualifying_data = BindingOf(question, ak, bundle);
  BG_ASSIGN_OR_RETURN(bundle.quote, tpm.Quote(options.ak, question.selection, qualifying_data));
  BG_RETURN_IF_ERROR(user_log.Release());
  BG_ASSIGN_OR_RETURN(bundle.ima.after_quote, AppendedSince(bundle.ima, options.paths));
  if (!registers::IsEmpty(question.seal_selection)) {
    BG_ASSIGN_OR_RETURN(
        bundle.identity_keys.emplace_back(),
        CertifyKey(tpm, options.ak, question.seal_selection, bundle.quote, qualifying_data));
  }
  for (const registers::Selection& bound_to : options.other_keys) {
    BG_ASSIGN_OR_RETURN(bundle.other_keys.emplace_back(),
                        CertifyKey(tpm, options.ak, bound_to, bundle.quote, qualifying_data));
  }
  bundle.facts = sources::ReadFacts(options.paths, options.agent_version);
  return bundle;
}

}  // namespace bootgate::agent::evidence_builder
