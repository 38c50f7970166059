#include "agent/client/gatekeeper_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/client/notice_reader.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"
#include "google/rpc/error_info.pb.h"

namespace bootgate::agent {
namespace {

constexpr absl::Duration kCallDeadline = absl::Seconds(20);
constexpr absl::Duration kSubmitDeadline = absl::Seconds(120);
constexpr size_t kChunkBytes = size_t{128} * 1024;
constexpr int kMaxAnswerBytes = 1 << 20;

std::string Text(ByteView bytes) { return std::string(AsText(bytes)); }
Bytes FromText(const std::string& text) { return ToBytes(AsBytes(text)); }

// How gRPC 1.51 words a TLS handshake that ended because of who the server is, or is not.
bool IsServerAuthFailure(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return false;
  for (const char* sign : {"andshake failed", "certificate verify failed",
                           "not in peer certificate", "Hostname Verification",
                           "WRONG_VERSION_NUMBER", "wrong version number", "Cannot check peer"}) {
    if (absl::StrContains(status.error_message(), sign)) return true;
  }
  return false;
}

std::optional<Reason> ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) return ReasonFromCode(info.reason());
  }
  return std::nullopt;
}

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (IsServerAuthFailure(status)) {
    return NotAuthentic(Reason::kServerAuth, Printable(status.error_message()));
  }
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()),
                   Printable(status.error_message()));
  const std::optional<Reason> reason = ReasonIn(status);
  return reason.has_value() ? WithReason(std::move(out), *reason) : out;
}

void SetDeadline(grpc::ClientContext& context, absl::Duration from_now) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + from_now));
}

void Fill(const evidence::HostFacts& facts, v1::HostFacts* out) {
  out->set_hostname(facts.hostname);
  out->set_kernel_release(facts.kernel_release);
  out->set_os_release(facts.os_release);
  out->set_agent_version(facts.agent_version);
  out->set_boot_id(facts.boot_id);
}

Challenge Decode(const v1::Challenge& in) {
  return {.nonce = FromText(in.nonce()),
          .cluster_id = in.cluster_id(),
          .selection = in.selection(),
          .seal_selection = in.seal_selection(),
          .ima_first_entry = in.ima_first_entry(),
          .valid_for = absl::Seconds(in.valid_seconds())};
}

void Fill(const evidence::CertifiedKey& key, v1::CertifiedKey* out) {
  out->set_public_area(Text(key.public_area));
  out->set_certify_attest(Text(key.certify_attest));
  out->set_certify_signature(Text(key.certify_signature));
}

void Fill(const evidence::Statement& statement, v1::EvidenceHeader* out) {
  out->set_request_key(statement.request_key);
  out->set_rp_data(Text(statement.rp_data));
  out->set_kernel_boot_id(statement.kernel_boot_id);
  for (const evidence::CustomClaim& claim : statement.custom_claims) {
    v1::CustomClaim* const row = out->add_custom_claims();
    row->set_name(claim.name);
    row->set_value(claim.value);
    row->set_value_type(claim.value_type);
  }
}

// `sent`: the list before the quote, in the form it is sent in.
v1::SubmitRequest HeaderOf(const evidence::Evidence& evidence, ByteView sent) {
  v1::SubmitRequest request;
  v1::EvidenceHeader* const header = request.mutable_header();
  header->set_host_id(evidence.host_id);
  header->set_nonce(Text(evidence.nonce));
  header->mutable_quote()->set_attest(Text(evidence.quote.attest));
  header->mutable_quote()->set_signature(Text(evidence.quote.signature));
  for (const tpm2::UntrustedPcr& value : evidence.quote.values) {
    v1::PcrValue* const out = header->mutable_quote()->add_values();
    out->set_bank(static_cast<uint32_t>(value.bank));
    out->set_index(value.index);
    out->set_value(Text(value.value));
  }
  header->set_ima_first_entry(evidence.ima.first_entry);
  header->set_ima_before_quote_count(evidence.ima.before_quote_count);
  if (!evidence.identity_keys.empty())
    Fill(evidence.identity_keys.front(), header->mutable_identity_key());
  for (const evidence::CertifiedKey& key : evidence.other_keys) Fill(key, header->add_other_keys());
  Fill(evidence.statement, header);
  header->set_want_token(evidence.want_token);
  header->set_held_boot_secrets(Text(evidence.held_boot_secrets));
  Fill(evidence.facts, header->mutable_facts());
  header->set_evidence_bytes(evidence.boot_log.size() + evidence.user_log.size() + sent.size() +
                             evidence.ima.after_quote.size());
  return request;
}

// False when the gatekeeper has ended the call already: its answer says why.
bool WriteChunks(grpc::ClientWriter<v1::SubmitRequest>& writer, v1::Chunk::Kind kind,
                 ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min(bytes.size(), kChunkBytes));
    v1::SubmitRequest request;
    request.mutable_chunk()->set_kind(kind);
    request.mutable_chunk()->set_data(Text(part));
    if (!writer.Write(request)) return false;
    bytes = bytes.subspan(part.size());
  }
  return true;
}

evidence::BootSecrets Decode(const v1::BootSecrets& in) {
  evidence::BootSecrets out;
  out.content_id = FromText(in.content_id());
  out.blob = {.object_public = FromText(in.object_public()),
              .duplicate = FromText(in.duplicate()),
              .in_sym_seed = FromText(in.in_sym_seed())};
  out.payload = FromText(in.payload());
  // What is no selection stays empty, which CheckBootSecrets refuses.
  out.selection = registers::ParseSelection(in.selection()).value_or(registers::Selection());
  out.approving_key = FromText(in.approving_key());
  out.generation = in.generation();
  // One more than there may be is enough to be refused.
  for (const v1::StateApproval& approval : in.approvals()) {
    if (out.approvals.size() > evidence::kMaxApprovals) break;
    out.approvals.push_back({FromText(approval.policy()), FromText(approval.signature())});
  }
  return out;
}

AttestAnswer Decode(const v1::SubmitResponse& in) {
  AttestAnswer out;
  out.outcome = in.outcome();
  out.verdict_id = in.verdict_id();
  out.trust = in.trust();
  for (const v1::DisclosedFinding& finding : in.findings()) {
    out.findings.push_back({finding.code(), finding.severity(), finding.text()});
  }
  out.tpm_key = {FromText(in.tpm_key().certificate()), in.tpm_key().ca_chain()};
  const v1::SealedCredential& sealed = in.sealed();
  out.sealed = {.object_public = FromText(sealed.object_public()),
                .duplicate = FromText(sealed.duplicate()),
                .in_sym_seed = FromText(sealed.in_sym_seed()),
                .payload = FromText(sealed.payload()),
                .selection = sealed.selection(),
                .certificate = FromText(sealed.certificate()),
                .not_after = absl::FromUnixSeconds(sealed.not_after())};
  out.seal_skipped_why = in.seal_skipped_why();
  out.next_attestation = absl::Seconds(in.next_attestation_seconds());
  out.next_challenge = Decode(in.next_challenge());
  out.drop_credentials = in.drop_credentials();
  out.standing = DecodeStanding(in.standing());
  out.token = in.token();
  out.trust_bundle_pem = in.trust_bundle();
  if (in.has_boot_secrets()) out.boot_secrets = Decode(in.boot_secrets());
  out.drop_boot_secrets = in.drop_boot_secrets();
  out.ak_certificate = FromText(in.ak_certificate());
  out.ek_certificate = FromText(in.ek_certificate());
  return out;
}

class GrpcClient final : public GatekeeperClient {
 public:
  GrpcClient(const std::shared_ptr<grpc::Channel>& channel, absl::string_view trusted_pem)
      : trust_bundle_(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(trusted_pem))),
        enrollment_(v1::Enrollment::NewStub(channel)),
        attestation_(v1::Attestation::NewStub(channel)),
        workload_(v1::Workload::NewStub(channel)),
        channel_(channel) {}

  absl::StatusOr<ActivationChallenge> BeginEnrollment(const JoinRequest& request) override {
    v1::BeginEnrollmentRequest message;
    message.set_join_token_id(request.token_id);
    message.set_join_token_secret(Text(request.token_secret.view()));
    message.set_ek_public(Text(request.ek_public));
    message.set_ek_certificate(Text(request.ek_certificate));
    for (const Bytes& der : request.ek_intermediates) message.add_ek_intermediates(Text(der));
    message.set_ak_public(Text(request.ak_public));
    message.set_ak_certificate(Text(request.ak_certificate));
    for (const Bytes& der : request.ak_intermediates) message.add_ak_intermediates(Text(der));
    Fill(request.facts, message.mutable_facts());
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::BeginEnrollmentResponse answer;
    const grpc::Status status = enrollment_->Begin(&context, message, &answer);
    if (!status.ok()) return ToStatus(status);
    return ActivationChallenge{answer.session_id(), FromText(answer.id_object()),
                               FromText(answer.encrypted_secret())};
  }

  absl::StatusOr<JoinAnswer> CompleteEnrollment(const std::string& session_id,
                                                const SecretBytes& secret,
                                                ByteView ak_name) override {
    v1::CompleteEnrollmentRequest message;
    message.set_session_id(session_id);
    message.set_activated_secret(Text(secret.view()));
    message.set_ak_name(Text(ak_name));
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::CompleteEnrollmentResponse answer;
    const grpc::Status status = enrollment_->Complete(&context, message, &answer);
    if (!status.ok()) return ToStatus(status);
    return JoinAnswer{.host_id = answer.host_id(),
                      .cluster_id = answer.cluster_id(),
                      .trust = answer.trust(),
                      .approved = answer.approved(),
                      .ak_certificate = FromText(answer.ak_certificate()),
                      .ca_chain_pem = answer.ca_chain(),
                      .ek_certificate = FromText(answer.ek_certificate())};
  }

  absl::StatusOr<Challenge> GetChallenge(const std::string& host_id, ByteView ak_name) override {
    v1::ChallengeRequest message;
    message.set_host_id(host_id);
    message.set_ak_name(Text(ak_name));
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::Challenge answer;
    const grpc::Status status = attestation_->GetChallenge(&context, message, &answer);
    if (!status.ok()) return ToStatus(status);
    return Decode(answer);
  }

  absl::StatusOr<AttestAnswer> Submit(const evidence::Evidence& evidence) override {
    return Send(evidence, v1::Chunk::IMA_BEFORE_QUOTE, evidence.ima.before_quote);
  }

  absl::StatusOr<AttestAnswer> SubmitMixed(const evidence::Evidence& evidence,
                                           ByteView mixed) override {
    return Send(evidence, v1::Chunk::IMA_BEFORE_QUOTE_MIXED, mixed);
  }

  absl::StatusOr<Bytes> KnownEntries(const std::string& host_id, ByteView ak_name,
                                     ByteView names) override {
    v1::KnownEntriesRequest message;
    message.set_host_id(host_id);
    message.set_ak_name(Text(ak_name));
    message.set_names(Text(names));
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::KnownEntriesResponse answer;
    const grpc::Status status = attestation_->KnownEntries(&context, message, &answer);
    if (!status.ok()) return ToStatus(status);
    return FromText(answer.known());
  }

  absl::StatusOr<JwtSvid> FetchJwtSvid(const std::vector<std::string>& audiences) override {
    v1::JwtSvidRequest message;
    for (const std::string& audience : audiences) message.add_audiences(audience);
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::JwtSvidResponse answer;
    const grpc::Status status = workload_->FetchJwtSvid(&context, message, &answer);
    if (!status.ok()) return ToStatus(status);
    return JwtSvid{answer.spiffe_id(), answer.svid(), absl::FromUnixSeconds(answer.expires_at())};
  }

  absl::StatusOr<std::string> FetchJwtKeys() override {
    grpc::ClientContext context;
    SetDeadline(context, kCallDeadline);
    v1::JwtKeysResponse answer;
    const grpc::Status status = workload_->FetchJwtKeys(&context, {}, &answer);
    if (!status.ok()) return ToStatus(status);
    return answer.jwks();
  }

  absl::Status WatchNotices(const std::string& host_id,
                            const std::function<void(const Notice&)>& on_notice,
                            const std::stop_token& stop) override {
    const grpc::Status status = ReadNotices(channel_, host_id, on_notice, stop);
    if (status.ok()) return absl::UnavailableError("the gatekeeper ended its notices");
    return ToStatus(status);
  }

 private:
  absl::StatusOr<AttestAnswer> Send(const evidence::Evidence& evidence, v1::Chunk::Kind kind,
                                    ByteView list) {
    grpc::ClientContext context;
    SetDeadline(context, kSubmitDeadline);
    v1::SubmitResponse answer;
    const std::unique_ptr<grpc::ClientWriter<v1::SubmitRequest>> writer =
        attestation_->Submit(&context, &answer);
    // A write that fails means the answer is already there; Finish tells it.
    v1::SubmitRequest header = HeaderOf(evidence, list);
    header.mutable_header()->set_trust_bundle_sha256(Text(trust_bundle_.view()));
    if (writer->Write(header) && WriteChunks(*writer, v1::Chunk::BOOT_LOG, evidence.boot_log) &&
        WriteChunks(*writer, v1::Chunk::USER_LOG, evidence.user_log) &&
        WriteChunks(*writer, kind, list) &&
        WriteChunks(*writer, v1::Chunk::IMA_AFTER_QUOTE, evidence.ima.after_quote)) {
      writer->WritesDone();
    }
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return ToStatus(status);
    return Decode(answer);
  }

  const crypto::Digest trust_bundle_;  // what this channel trusts
  std::unique_ptr<v1::Enrollment::Stub> enrollment_;
  std::unique_ptr<v1::Attestation::Stub> attestation_;
  std::unique_ptr<v1::Workload::Stub> workload_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

absl::StatusOr<JwtSvid> GatekeeperClient::FetchJwtSvid(const std::vector<std::string>&) {
  return absl::UnimplementedError("no tokens are made here");
}

absl::StatusOr<std::string> GatekeeperClient::FetchJwtKeys() {
  return absl::UnimplementedError("no tokens are made here");
}

absl::Status GatekeeperClient::WatchNotices(const std::string&,
                                            const std::function<void(const Notice&)>&,
                                            const std::stop_token&) {
  return absl::UnimplementedError("no notices are sent here");
}

absl::StatusOr<std::unique_ptr<GatekeeperClient>> Connect(const Endpoint& endpoint) {
  if (endpoint.ca_pem.empty()) {
    return absl::InvalidArgumentError("no CA certificate for the gatekeeper: join again");
  }
  if (endpoint.address.empty())
    return absl::InvalidArgumentError("no gatekeeper address: join first");
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = endpoint.ca_pem;
  options.pem_cert_chain = endpoint.client_chain_pem;
  options.pem_private_key = endpoint.client_key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  // Our own back-off decides when to try again; gRPC's would only hide the cause.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  if (!endpoint.server_name.empty()) arguments.SetSslTargetNameOverride(endpoint.server_name);
  return std::make_unique<GrpcClient>(
      grpc::CreateCustomChannel(endpoint.address, grpc::SslCredentials(options), arguments),
      endpoint.ca_pem);
}

}  // namespace bootgate::agent
