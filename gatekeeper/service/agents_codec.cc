#include "gatekeeper/service/agents_codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/agents.pb.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/ima/mixed_list.h"

namespace bootgate::gatekeeper::service {
namespace {

constexpr size_t kMaxText = 512;  // bytes of a name or fact
constexpr size_t kMaxChunk = size_t{256} * 1024;
constexpr int kMaxIntermediates = 8;
// Bytes of names that are looked up together, while nobody else reads the book.
constexpr size_t kNamesAtOnce = 256 * ima::KnownDigests::kNameBytes;

std::string Text(ByteView bytes) { return std::string(AsText(bytes)); }
Bytes FromText(const std::string& text) { return ToBytes(AsBytes(text)); }

absl::Status TooLarge(absl::string_view what, size_t size, size_t limit) {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kMessageTooLarge,
                absl::StrCat(what, ": ", size, " bytes, at most ", limit));
}

absl::Status NoRoom() {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                "too much evidence is being read at the same time");
}

// One field of a message with its bound.
struct Bounded {
  const char* what;
  const std::string& field;
  size_t limit = evidence::kMaxSmallPart;
};

absl::Status CheckSizes(std::initializer_list<Bounded> fields) {
  for (const Bounded& row : fields) {
    if (row.field.size() > row.limit) return TooLarge(row.what, row.field.size(), row.limit);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Bytes>> DecodeCertificates(
    const char* what, const google::protobuf::RepeatedPtrField<std::string>& field) {
  if (field.size() > kMaxIntermediates) {
    return TooLarge(what, static_cast<size_t>(field.size()), kMaxIntermediates);
  }
  std::vector<Bytes> out;
  for (const std::string& der : field) {
    BG_RETURN_IF_ERROR(CheckSizes({{what, der}}));
    out.push_back(FromText(der));
  }
  return out;
}

absl::StatusOr<evidence::HostFacts> DecodeFacts(const v1::HostFacts& facts) {
  BG_RETURN_IF_ERROR(CheckSizes({{"hostname", facts.hostname(), kMaxText},
                                 {"kernel_release", facts.kernel_release(), kMaxText},
                                 {"os_release", facts.os_release(), kMaxText},
                                 {"agent_version", facts.agent_version(), kMaxText},
                                 {"boot_id", facts.boot_id(), kMaxText}}));
  return evidence::HostFacts{.hostname = facts.hostname(),
                             .kernel_release = facts.kernel_release(),
                             .os_release = facts.os_release(),
                             .agent_version = facts.agent_version(),
                             .boot_id = facts.boot_id()};
}

absl::StatusOr<tpm2::RawQuote> DecodeQuote(const v1::Quote& quote) {
  BG_RETURN_IF_ERROR(CheckSizes({{"quote", quote.attest()}, {"signature", quote.signature()}}));
  if (quote.values_size() > static_cast<int>(evidence::kMaxPcrValues)) {
    return TooLarge("PCR values", static_cast<size_t>(quote.values_size()),
                    evidence::kMaxPcrValues);
  }
  tpm2::RawQuote out{
      .attest = FromText(quote.attest()), .signature = FromText(quote.signature()), .values = {}};
  for (const v1::PcrValue& value : quote.values()) {
    const std::optional<crypto::HashAlg> bank =
        value.bank() > 0xffff ? std::nullopt
                              : crypto::HashAlgFromTpm(static_cast<uint16_t>(value.bank()));
    if (!bank.has_value()) {
      return Malformed(Reason::kMessageMalformed,
                       absl::StrCat("PCR value of unknown bank 0x", absl::Hex(value.bank())));
    }
    if (value.value().size() > crypto::kMaxDigestSize)
      return TooLarge("PCR value", value.value().size(), crypto::kMaxDigestSize);
    out.values.push_back({*bank, value.index(), FromText(value.value())});
  }
  return out;
}

absl::StatusOr<evidence::CertifiedKey> DecodeKey(const char* what, const v1::CertifiedKey& key) {
  BG_RETURN_IF_ERROR(CheckSizes(
      {{what, key.public_area()}, {what, key.certify_attest()}, {what, key.certify_signature()}}));
  return evidence::CertifiedKey{.public_area = FromText(key.public_area()),
                                .certify_attest = FromText(key.certify_attest()),
                                .certify_signature = FromText(key.certify_signature())};
}

absl::Status DecodeKeys(const v1::EvidenceHeader& header, evidence::Evidence* out) {
  if (header.has_identity_key()) {
    BG_ASSIGN_OR_RETURN(out->identity_keys.emplace_back(),
                        DecodeKey("identity key", header.identity_key()));
  }
  const auto others = static_cast<size_t>(header.other_keys_size());
  if (others > evidence::kMaxOtherKeys)
    return TooLarge("other keys", others, evidence::kMaxOtherKeys);
  for (const v1::CertifiedKey& key : header.other_keys()) {
    BG_ASSIGN_OR_RETURN(out->other_keys.emplace_back(), DecodeKey("other key", key));
  }
  return absl::OkStatus();
}

absl::StatusOr<evidence::Statement> DecodeStatement(const v1::EvidenceHeader& header) {
  BG_RETURN_IF_ERROR(
      CheckSizes({{"request key", header.request_key(), evidence::kMaxRequestKey},
                  {"rp_data", header.rp_data(), evidence::kMaxRpData},
                  {"kernel boot id", header.kernel_boot_id(), evidence::kMaxKernelBootId}}));
  const auto claims = static_cast<size_t>(header.custom_claims_size());
  if (claims > evidence::kMaxCustomClaims)
    return TooLarge("custom claims", claims, evidence::kMaxCustomClaims);
  evidence::Statement out{.request_key = header.request_key(),
                          .rp_data = FromText(header.rp_data()),
                          .custom_claims = {},
                          .kernel_boot_id = header.kernel_boot_id()};
  for (const v1::CustomClaim& claim : header.custom_claims()) {
    BG_RETURN_IF_ERROR(
        CheckSizes({{"name of a custom claim", claim.name(), evidence::kMaxCustomName},
                    {"custom claim", claim.value(), evidence::kMaxCustomValue},
                    {"type of a custom claim", claim.value_type(), kMaxText}}));
    out.custom_claims.push_back({claim.name(), claim.value(), claim.value_type()});
  }
  return out;
}

// The worst come first: a verdict's findings are sorted by severity.
void EncodeFindings(const std::vector<Finding>& findings, v1::SubmitResponse* message) {
  const size_t shown = std::min(findings.size(), kMaxDisclosed);
  for (size_t i = 0; i < shown; ++i) {
    v1::DisclosedFinding* const out = message->add_findings();
    out->set_code(std::string(Code(findings[i].code)));
    out->set_severity(Name(findings[i].severity));
    out->set_text(findings[i].text);
  }
  if (shown == findings.size()) return;
  v1::DisclosedFinding* const rest = message->add_findings();
  rest->set_code(std::string(Code(findings[shown].code)));
  rest->set_severity(Name(findings[shown].severity));
  rest->set_text(absl::StrCat("and ", findings.size() - shown, " more findings"));
}

void EncodeBootSecrets(const evidence::BootSecrets& secrets, v1::BootSecrets* message) {
  message->set_content_id(Text(secrets.content_id));
  message->set_object_public(Text(secrets.blob.object_public));
  message->set_duplicate(Text(secrets.blob.duplicate));
  message->set_in_sym_seed(Text(secrets.blob.in_sym_seed));
  message->set_payload(Text(secrets.payload));
  message->set_selection(registers::Format(secrets.selection));
  message->set_approving_key(Text(secrets.approving_key));
  message->set_generation(secrets.generation);
  for (const evidence::StateApproval& approval : secrets.approvals) {
    v1::StateApproval* const out = message->add_approvals();
    out->set_policy(Text(approval.policy));
    out->set_signature(Text(approval.signature));
  }
}

}  // namespace

absl::StatusOr<enroll::BeginRequest> Decode(const v1::BeginEnrollmentRequest& message) {
  BG_RETURN_IF_ERROR(CheckSizes({{"join_token_id", message.join_token_id(), kMaxText},
                                 {"join_token_secret", message.join_token_secret(), kMaxText},
                                 {"ek_public", message.ek_public()},
                                 {"ek_certificate", message.ek_certificate()},
                                 {"ak_public", message.ak_public()},
                                 {"ak_certificate", message.ak_certificate()}}));
  enroll::BeginRequest out;
  out.join_token_id = message.join_token_id();
  out.join_token_secret = FromText(message.join_token_secret());
  out.ek_public = FromText(message.ek_public());
  out.ek_certificate = FromText(message.ek_certificate());
  BG_ASSIGN_OR_RETURN(out.ek_intermediates,
                      DecodeCertificates("ek_intermediates", message.ek_intermediates()));
  out.ak_public = FromText(message.ak_public());
  out.ak_certificate = FromText(message.ak_certificate());
  BG_ASSIGN_OR_RETURN(out.ak_intermediates,
                      DecodeCertificates("ak_intermediates", message.ak_intermediates()));
  BG_ASSIGN_OR_RETURN(evidence::HostFacts facts, DecodeFacts(message.facts()));
  out.hostname = std::move(facts.hostname);
  out.kernel_release = std::move(facts.kernel_release);
  out.os_release = std::move(facts.os_release);
  out.agent_version = std::move(facts.agent_version);
  return out;
}

absl::StatusOr<enroll::CompleteRequest> Decode(const v1::CompleteEnrollmentRequest& message) {
  BG_RETURN_IF_ERROR(CheckSizes({{"session_id", message.session_id(), kMaxText},
                                 {"activated_secret", message.activated_secret(), kMaxText},
                                 {"ak_name", message.ak_name(), kMaxText}}));
  enroll::CompleteRequest out;
  out.session_id = message.session_id();
  out.activated_secret = FromText(message.activated_secret());
  out.ak_name = FromText(message.ak_name());
  return out;
}

void Encode(const enroll::ActivationChallenge& challenge, v1::BeginEnrollmentResponse* message) {
  message->set_session_id(challenge.session_id);
  message->set_id_object(Text(challenge.id_object));
  message->set_encrypted_secret(Text(challenge.encrypted_secret));
}

void Encode(const Enrolled& enrolled, v1::CompleteEnrollmentResponse* message) {
  message->set_host_id(enrolled.host.id);
  message->set_cluster_id(enrolled.cluster_id);
  message->set_trust(std::string(host::Name(enrolled.host.trust)));
  message->set_approved(enrolled.host.approved);
  message->set_ak_certificate(Text(enrolled.host.ak_certificate));
  message->set_ek_certificate(Text(enrolled.host.own_ek_certificate));
  message->set_ca_chain(enrolled.ca_chain_pem);
}

void Encode(const admission::Challenge& challenge, v1::Challenge* message) {
  message->set_nonce(Text(challenge.nonce));
  message->set_cluster_id(challenge.cluster_id);
  message->set_selection(registers::Format(challenge.selection));
  message->set_seal_selection(registers::Format(challenge.seal_selection));
  message->set_ima_first_entry(challenge.ima_first_entry);
  message->set_valid_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(challenge.valid_for)));
}

void Encode(const admission::Standing& standing, v1::Standing* message) {
  message->set_trust(std::string(host::Name(standing.trust)));
  message->set_since(absl::ToUnixSeconds(standing.since));
  const size_t told = std::min(standing.reasons.size(), kMaxDisclosed);
  for (size_t i = 0; i < told; ++i) message->add_reasons(standing.reasons[i]);
  message->set_why(standing.why);
  message->set_incident_id(standing.incident_id);
}

void Encode(const admission::Decision& decision, v1::SubmitResponse* message) {
  message->set_outcome(std::string(Name(decision.verdict.outcome)));
  message->set_verdict_id(decision.verdict_id);
  message->set_trust(std::string(host::Name(decision.trust)));
  EncodeFindings(decision.verdict.findings, message);
  Encode(decision.standing, message->mutable_standing());
  message->set_next_attestation_seconds(
      static_cast<uint32_t>(absl::ToInt64Seconds(decision.next_attestation)));
  message->set_drop_credentials(decision.drop_credentials);
  message->set_token(decision.token);
  message->set_ak_certificate(Text(decision.renewed.ak_certificate));
  message->set_ek_certificate(Text(decision.renewed.own_ek_certificate));
  if (!decision.next.nonce.empty()) Encode(decision.next, message->mutable_next_challenge());
  const credential::Issued& issued = decision.issued;
  if (issued.tpm_key.has_value()) {
    message->mutable_tpm_key()->set_certificate(Text(issued.tpm_key->certificate));
    message->mutable_tpm_key()->set_ca_chain(issued.tpm_key->ca_chain_pem);
  }
  if (issued.sealed.has_value()) {
    v1::SealedCredential* const out = message->mutable_sealed();
    out->set_object_public(Text(issued.sealed->blob.object_public));
    out->set_duplicate(Text(issued.sealed->blob.duplicate));
    out->set_in_sym_seed(Text(issued.sealed->blob.in_sym_seed));
    out->set_payload(Text(issued.sealed->payload));
    out->set_selection(registers::Format(issued.sealed->selection));
    out->set_certificate(Text(issued.sealed->certificate));
    out->set_not_after(absl::ToUnixSeconds(issued.sealed->not_after));
  }
  message->set_seal_skipped_why(issued.seal_skipped_why);
  message->set_drop_boot_secrets(decision.drop_boot_secrets);
  if (decision.boot_secrets.has_value()) {
    EncodeBootSecrets(*decision.boot_secrets, message->mutable_boot_secrets());
  }
}

void Encode(const token::JwtSvid& made, v1::JwtSvidResponse* message) {
  message->set_spiffe_id(made.spiffe_id);
  message->set_svid(made.svid);
  message->set_expires_at(absl::ToUnixSeconds(made.expires_at));
}

absl::StatusOr<ByteView> NamesIn(const v1::KnownEntriesRequest& message) {
  constexpr size_t kMost = kMaxNames * ima::KnownDigests::kNameBytes;
  const ByteView names = AsBytes(message.names());
  if (names.size() > kMost) return TooLarge("names", names.size(), kMost);
  if (names.size() % ima::KnownDigests::kNameBytes != 0)
    return Malformed(Reason::kMessageMalformed, "names of entries are 32 bytes each");
  return names;
}

absl::Status EvidenceAssembler::Add(const v1::EvidenceHeader& header) {
  if (has_header_) return Malformed(Reason::kMessageMalformed, "a second header");
  has_header_ = true;
  BG_RETURN_IF_ERROR(
      CheckSizes({{"host_id", header.host_id(), kMaxText},
                  {"nonce", header.nonce(), kMaxText},
                  {"held_boot_secrets", header.held_boot_secrets(), evidence::kMaxContentId}}));
  evidence_.host_id = header.host_id();
  evidence_.nonce = FromText(header.nonce());
  announced_ = header.evidence_bytes();
  if (announced_ > limits_.Sum()) return TooLarge("evidence", announced_, limits_.Sum());
  BG_ASSIGN_OR_RETURN(evidence_.quote, DecodeQuote(header.quote()));
  evidence_.ima.first_entry = header.ima_first_entry();
  evidence_.ima.before_quote_count = header.ima_before_quote_count();
  BG_RETURN_IF_ERROR(DecodeKeys(header, &evidence_));
  BG_ASSIGN_OR_RETURN(evidence_.statement, DecodeStatement(header));
  evidence_.want_token = header.want_token();
  evidence_.held_boot_secrets = FromText(header.held_boot_secrets());
  BG_ASSIGN_OR_RETURN(evidence_.facts, DecodeFacts(header.facts()));
  return absl::OkStatus();
}

absl::Status EvidenceAssembler::Add(const v1::Chunk& chunk) {
  if (!has_header_) return Malformed(Reason::kMessageMalformed, "a chunk before the header");
  if (chunk.data().size() > kMaxChunk) return TooLarge("chunk", chunk.data().size(), kMaxChunk);
  evidence::ImaPart& ima = evidence_.ima;
  const ByteView data = AsBytes(chunk.data());
  arrived_ += data.size();
  switch (chunk.kind()) {
    case v1::Chunk::BOOT_LOG:
      return Append(data, limits_.boot_log, 0, "boot log", &evidence_.boot_log);
    case v1::Chunk::USER_LOG:
      return Append(data, limits_.user_log, 0, "user-space log", &evidence_.user_log);
    case v1::Chunk::IMA_BEFORE_QUOTE:
      return Append(data, limits_.ima, ima.after_quote.size(), "IMA list", &ima.before_quote);
    case v1::Chunk::IMA_AFTER_QUOTE:
      return Append(data, limits_.ima, ima.before_quote.size(), "IMA list", &ima.after_quote);
    case v1::Chunk::IMA_BEFORE_QUOTE_MIXED:
      return Append(data, limits_.ima, ima.after_quote.size(), "IMA list", &mixed_);
    default:  // proto3 enums are open
      return Malformed(Reason::kMessageMalformed,
                       absl::StrCat("chunk of unknown kind ", static_cast<int>(chunk.kind())));
  }
}

absl::Status EvidenceAssembler::CheckWhole() const {
  if (!has_header_) return Malformed(Reason::kMessageMalformed, "no header");
  if (arrived_ == announced_) return absl::OkStatus();
  return Malformed(Reason::kMessageMalformed, absl::StrCat(arrived_, " bytes of evidence arrived, ",
                                                           announced_, " were announced"));
}

absl::Status EvidenceAssembler::Rebuild(const session::EntryBook& book) {
  if (mixed_.empty()) return absl::OkStatus();
  evidence::ImaPart& ima = evidence_.ima;
  if (!ima.before_quote.empty())
    return Malformed(Reason::kMessageMalformed, "an IMA list in two forms");
  Bytes names;  // one after the other, of entries that come next
  bytes::Reader in(mixed_);
  while (!in.empty()) {
    BG_ASSIGN_OR_RETURN(const ima::MixedItem item, ima::TakeMixedItem(in));
    if (item.named) names.insert(names.end(), item.bytes.begin(), item.bytes.end());
    if (item.named && names.size() < kNamesAtOnce) continue;
    BG_RETURN_IF_ERROR(AppendKnown(book, names));
    names.clear();
    if (!item.named) BG_RETURN_IF_ERROR(AppendToList(item.bytes));
  }
  return AppendKnown(book, names);
}

absl::Status EvidenceAssembler::AppendKnown(const session::EntryBook& book, ByteView names) {
  const absl::Status status =
      book.Read(names, [this](ByteView record, ByteView template_digest) -> absl::Status {
        if (!share_.Take(ima::DigestsAt::kRowBytes)) return NoRoom();
        BG_ASSIGN_OR_RETURN(const crypto::Digest digest,
                            crypto::Digest::From(ima::DigestsAt::kAlg, template_digest));
        known_templates_.Add(evidence_.ima.before_quote.size(), record, digest);
        return AppendToList(record);
      });
  if (!absl::IsNotFound(status)) return status;
  return Malformed(Reason::kRetryResync, "an IMA entry was sent by a name that is not known here");
}

absl::Status EvidenceAssembler::AppendToList(ByteView record) {
  evidence::ImaPart& ima = evidence_.ima;
  return Append(record, limits_.ima, ima.after_quote.size(), "IMA list", &ima.before_quote);
}

absl::Status EvidenceAssembler::Append(ByteView data, size_t limit, size_t other, const char* what,
                                       Bytes* out) {
  const size_t size = out->size() + other + data.size();
  if (size > limit) return TooLarge(what, size, limit);
  if (!share_.Take(data.size())) return NoRoom();
  out->insert(out->end(), data.begin(), data.end());
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::service
