#include "tests/gate/gate.h"

#include <stdlib.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/ima/digests_at.h"
#include "common/ima/mixed_list.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "tests/gate/store_dump.h"

namespace bootgate::gate {
namespace {

namespace admission = gatekeeper::admission;
namespace enroll = gatekeeper::enroll;
namespace rollout = gatekeeper::rollout;
namespace session = gatekeeper::session;
namespace store = gatekeeper::store;

constexpr int kManyUses = 1'000'000;
constexpr char kClusterId[] = "test";

std::string MakeFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bootgate-gate.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) abort();
  return pattern;
}

// Whole seconds, so that times in certificates and in the store compare equal. Real time, because
// TLS knows no other.
absl::Time StartOfClock() { return absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())); }

std::string StorePath(const std::string& folder) { return folder + "/gatekeeper.db"; }

std::unique_ptr<store::Store> OpenStore(const std::string& folder, const GateOptions& options) {
  auto store = store::OpenSqlite({.path = StorePath(folder), .create = true}).value();
  return options.wrap_store ? options.wrap_store(std::move(store)) : std::move(store);
}

pki::Authority MakeAuthority(const std::string& folder, absl::Time now) {
  const pki::AuthorityFiles files = {.folder = folder + "/ca"};
  std::filesystem::create_directory(files.folder);
  const absl::Status made = pki::Authority::Create(
      files, {.cluster_id = kClusterId, .trust_domain = "test.bootgate.internal"}, now);
  if (!made.ok()) abort();
  return pki::Authority::Open(files, now).value();
}

void Require(const absl::Status& status) {
  if (status.ok()) return;
  absl::StatusOr<int>(status).value();  // ends the program with the message
}

admission::Options AdmissionOptions(const std::string& folder, const GateOptions& options,
                                    enroll::EkRecheck* ek_recheck) {
  admission::Options out;
  out.ek_recheck = ek_recheck;
  out.cluster_id = kClusterId;
  out.set_folder = folder + "/sets";
  out.selection = options.selection;
  out.credential.seal_selection = options.seal_selection;
  out.credential.cap_register = options.cap_register;
  out.runtime_extended = options.runtime_extended;
  out.behind_limit = options.behind_limit;
  out.nonce_ttl = options.nonces.ttl;
  if (!options.advisories.empty()) Require(out.advisories.Add(options.advisories));
  out.deny_vulnerable_firmware = options.deny_vulnerable_firmware;
  out.actions = options.actions;
  out.brake = options.brake;
  return out;
}

store::AuditRow TestRow() {
  store::AuditRow row;
  row.actor = "operator test";
  row.action = "test";
  row.detail_json = "{}";
  return row;
}

// The thin part of the port, without gRPC.
class DirectClient final : public agent::GatekeeperClient {
 public:
  DirectClient(Gate& gate, admission::Peer peer) : gate_(gate), peer_(std::move(peer)) {}

  absl::StatusOr<agent::ActivationChallenge> BeginEnrollment(
      const agent::JoinRequest& request) override {
    enroll::BeginRequest begin;
    begin.join_token_id = request.token_id;
    begin.join_token_secret = ToBytes(request.token_secret.view());
    begin.ek_public = request.ek_public;
    begin.ek_certificate = request.ek_certificate;
    begin.ek_intermediates = request.ek_intermediates;
    begin.ak_public = request.ak_public;
    begin.ak_certificate = request.ak_certificate;
    begin.ak_intermediates = request.ak_intermediates;
    begin.hostname = request.facts.hostname;
    BG_ASSIGN_OR_RETURN(enroll::ActivationChallenge challenge, gate_.enroller.Begin(begin));
    return agent::ActivationChallenge{.session_id = challenge.session_id,
                                      .id_object = challenge.id_object,
                                      .encrypted_secret = challenge.encrypted_secret};
  }

  absl::StatusOr<agent::JoinAnswer> CompleteEnrollment(const std::string& session_id,
                                                       const SecretBytes& secret,
                                                       ByteView ak_name) override {
    BG_ASSIGN_OR_RETURN(const gatekeeper::host::HostRecord host,
                        gate_.enroller.Complete({.session_id = session_id,
                                                 .ak_name = ToBytes(ak_name),
                                                 .activated_secret = ToBytes(secret.view())}));
    agent::JoinAnswer answer;
    answer.host_id = host.id;
    answer.cluster_id = kClusterId;
    answer.trust = std::string(gatekeeper::host::Name(host.trust));
    answer.approved = host.approved;
    answer.ak_certificate = host.ak_certificate;
    answer.ek_certificate = host.own_ek_certificate;
    answer.ca_chain_pem = gate_.authority.chain_pem();
    return answer;
  }

  absl::StatusOr<agent::Challenge> GetChallenge(const std::string& host_id,
                                                ByteView ak_name) override {
    BG_ASSIGN_OR_RETURN(const admission::Challenge challenge,
                        gate_.admission.NewChallenge(peer_, host_id, ak_name));
    return AsTold(challenge);
  }

  absl::StatusOr<agent::AttestAnswer> Submit(const evidence::Evidence& evidence) override {
    return Judge(evidence, nullptr);
  }

  absl::StatusOr<Bytes> KnownEntries(const std::string& host_id, ByteView ak_name,
                                     ByteView names) override {
    return gate_.admission.KnownEntries(peer_, host_id, ak_name, names);
  }

  absl::StatusOr<agent::AttestAnswer> SubmitMixed(const evidence::Evidence& evidence,
                                                  ByteView mixed) override {
    evidence::Evidence whole = evidence;
    Bytes& list = whole.ima.before_quote;
    list.clear();
    ima::DigestsAt known;
    bytes::Reader in(mixed);
    while (!in.empty()) {
      BG_ASSIGN_OR_RETURN(const ima::MixedItem item, ima::TakeMixedItem(in));
      if (!item.named) {
        list.insert(list.end(), item.bytes.begin(), item.bytes.end());
        continue;
      }
      const absl::Status read = gate_.admission.entries().Read(
          item.bytes, [&](ByteView record, ByteView template_digest) -> absl::Status {
            BG_ASSIGN_OR_RETURN(const crypto::Digest digest,
                                crypto::Digest::From(ima::DigestsAt::kAlg, template_digest));
            known.Add(list.size(), record, digest);
            list.insert(list.end(), record.begin(), record.end());
            return absl::OkStatus();
          });
      if (absl::IsNotFound(read)) return Malformed(Reason::kRetryResync, "unknown name");
      BG_RETURN_IF_ERROR(read);
    }
    return Judge(whole, &known);
  }

 private:
  absl::StatusOr<agent::AttestAnswer> Judge(const evidence::Evidence& evidence,
                                            const ima::DigestsAt* known) {
    BG_RETURN_IF_ERROR(gate_.admission.Screen(peer_, evidence.host_id, evidence.quote));
    BG_ASSIGN_OR_RETURN(const admission::Decision decision,
                        gate_.admission.Decide(peer_, evidence, known));
    return AsTold(decision);
  }

  Gate& gate_;
  const admission::Peer peer_;
};

}  // namespace

const char kSecureBootPolicy[] = R"(version=1.0;
authorizationrules
{
    [type=="aikValidated", value==true, issuer=="AttestationService"] &&
    [type=="secureBootEnabled", value==true, issuer=="AttestationService"]
    => permit();
};
issuancerules
{
    => issue(type="PlatformAttested", value=true);
};
)";

Gate::Gate(const GateOptions& options)
    : folder(MakeFolder()),
      clock(StartOfClock()),
      vendor(clock.Now()),
      store(OpenStore(folder, options)),
      authority(MakeAuthority(folder, clock.Now())),
      activations(clock, options.activations),
      enroller(*store, activations, clock,
               {.mode = options.ek_mode, .anchors = vendor.Anchors(), .inventory = {}}, &authority),
      nonces(clock, options.nonces),
      token_keys(
          gatekeeper::token::KeyRing::Open({.folder = folder + "/token-keys"}, authority, clock)
              .value()),
      issuer(kIssuerUrl, *token_keys),
      ek_recheck(enroller.policies()),
      admission_options(AdmissionOptions(folder, options, &ek_recheck)),
      admission(admission_options, *store, nonces, authority, clock, &issuer) {
  AddToken(token, kManyUses);
  if (!options.policy.empty()) AssignPolicy(options.policy);
}

Gate::~Gate() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

SoftHost Gate::NewHost(const std::string& captured) {
  SoftHost host(vendor, LoadCase(captured));
  Require(host.Join(*Direct(), token).status());
  return host;
}

void Gate::AddToken(const JoinToken& added, int uses, bool approves) {
  store::JoinToken row;
  row.id = added.id;
  row.secret_sha256 = ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(added.secret)).view());
  row.uses_left = uses;
  row.created_at = clock.Now();
  row.expires_at = clock.Now() + absl::Hours(24);
  row.approves = approves;
  Require(store->PutJoinToken(row, TestRow()));
}

void Gate::AssignPolicy(const std::string& text) { AssignDocument(rollout::kPolicyKind, text); }

void Gate::AssignReference(const std::string& json) {
  AssignDocument(rollout::kReferenceKind, json);
}

void Gate::AssignDocument(const std::string& kind, const std::string& text) {
  const std::string id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
  Require(store->PutDocument({.kind = kind,
                              .id = id,
                              .name = "test",
                              .text = text,
                              .author = "test",
                              .created_at = clock.Now()},
                             TestRow()));
  Require(store->Assign(
      {.kind = kind, .selector = "", .document_id = id, .author = "test", .at = clock.Now()},
      TestRow()));
}

void Gate::ChangeHost(const std::string& id,
                      const std::function<void(gatekeeper::host::HostRecord&)>& change) {
  store::Commit commit;
  commit.host = Host(id);
  change(*commit.host);
  commit.audit = {TestRow()};
  Require(store->Apply(commit));
}

std::string Gate::Dump() const { return DumpStore(StorePath(folder)); }

std::unique_ptr<agent::GatekeeperClient> Gate::Direct(admission::Peer peer) {
  return std::make_unique<DirectClient>(*this, std::move(peer));
}

agent::Challenge AsTold(const admission::Challenge& challenge) {
  return {.nonce = challenge.nonce,
          .cluster_id = challenge.cluster_id,
          .selection = registers::Format(challenge.selection),
          .seal_selection = registers::Format(challenge.seal_selection),
          .ima_first_entry = challenge.ima_first_entry,
          .valid_for = challenge.valid_for};
}

agent::AttestAnswer AsTold(const admission::Decision& decision) {
  agent::AttestAnswer out;
  out.outcome = std::string(Name(decision.verdict.outcome));
  out.verdict_id = decision.verdict_id;
  out.trust = std::string(gatekeeper::host::Name(decision.trust));
  for (const gatekeeper::Finding& finding : decision.verdict.findings) {
    out.findings.push_back({std::string(Code(finding.code)),
                            std::string(gatekeeper::Name(finding.severity)), finding.text});
  }
  const gatekeeper::credential::Issued& issued = decision.issued;
  if (issued.tpm_key.has_value())
    out.tpm_key = {issued.tpm_key->certificate, issued.tpm_key->ca_chain_pem};
  if (issued.sealed.has_value()) {
    out.sealed = {.object_public = issued.sealed->blob.object_public,
                  .duplicate = issued.sealed->blob.duplicate,
                  .in_sym_seed = issued.sealed->blob.in_sym_seed,
                  .payload = issued.sealed->payload,
                  .selection = registers::Format(issued.sealed->selection),
                  .certificate = issued.sealed->certificate,
                  .not_after = issued.sealed->not_after};
  }
  out.seal_skipped_why = issued.seal_skipped_why;
  out.next_attestation = decision.next_attestation;
  if (!decision.next.nonce.empty()) out.next_challenge = AsTold(decision.next);
  out.drop_credentials = decision.drop_credentials;
  out.ak_certificate = decision.renewed.ak_certificate;
  out.ek_certificate = decision.renewed.own_ek_certificate;
  out.token = decision.token;
  out.boot_secrets = decision.boot_secrets;
  out.drop_boot_secrets = decision.drop_boot_secrets;
  return out;
}

}  // namespace bootgate::gate
