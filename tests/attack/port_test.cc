// Bad input to the running port: what no agent of ours would send.
#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "absl/time/clock.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/hex.h"
#include "google/rpc/error_info.pb.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(ByteView bytes) { return std::string(AsText(bytes)); }

std::string ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0) return "";
  return details.details(0).UnpackTo(&info) ? info.reason() : "";
}

// What is sent in one submission.
using Script = std::vector<v1::SubmitRequest>;

v1::SubmitRequest HeaderOf(const evidence::Evidence& evidence) {
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
  header->set_ima_before_quote_count(evidence.ima.before_quote_count);
  header->set_evidence_bytes(evidence.boot_log.size() + evidence.user_log.size() +
                             evidence.ima.before_quote.size() + evidence.ima.after_quote.size());
  return request;
}

v1::SubmitRequest Chunk(int kind, const std::string& data) {
  v1::SubmitRequest request;
  request.mutable_chunk()->set_kind(static_cast<v1::Chunk::Kind>(kind));
  request.mutable_chunk()->set_data(data);
  return request;
}

class AttackOnPort : public ::testing::Test {
 protected:
  AttackOnPort() : port_({}, {.max_boot_log_bytes = 64 * 1024}), client_(port_.Connect()) {
    channel_ = grpc::CreateChannel(port_.address(),
                                   grpc::SslCredentials({port_.gate.authority.root_pem(), "", ""}));
    stub_ = v1::Attestation::NewStub(channel_);
    untouched_ = port_.gate.Dump();
  }

  // Whatever came before: the port answers, other hosts get through, this one was not touched.
  void TearDown() override {
    EXPECT_TRUE(port_.gate.Dump() == untouched_) << "the store was changed";
    SoftHost other = port_.gate.NewHost();
    EXPECT_EQ(other.Attest(*client_)->outcome, "ADMIT");
    EXPECT_EQ(host_.Attest(*client_)->outcome, "ADMIT");
  }

  evidence::Evidence Fresh() { return host_.Answer(host_.Ask(*client_).value()); }

  grpc::Status Send(const Script& script, absl::Duration limit = absl::Seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + limit));
    v1::SubmitResponse response;
    const auto writer = stub_->Submit(&context, &response);
    for (const v1::SubmitRequest& request : script) {
      if (!writer->Write(request)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }

  gate::PortGate port_;
  SoftHost host_ = port_.gate.NewHost();
  const std::unique_ptr<agent::GatekeeperClient> client_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Attestation::Stub> stub_;
  std::string untouched_;
};

TEST_F(AttackOnPort, A70_SubmissionsThatAreNone) {
  const v1::SubmitRequest header = HeaderOf(Fresh());
  const v1::SubmitRequest log = Chunk(v1::Chunk::BOOT_LOG, Text(host_.boot.boot_log));
  struct Row {
    const char* name;
    Script script;
    const char* reason;
    grpc::StatusCode code;
  };
  constexpr auto kBad = grpc::StatusCode::INVALID_ARGUMENT;
  constexpr auto kLimit = grpc::StatusCode::RESOURCE_EXHAUSTED;
  v1::SubmitRequest many_values = header;
  for (int i = 0; i < 121; ++i) many_values.mutable_header()->mutable_quote()->add_values();
  v1::SubmitRequest odd_bank = header;
  odd_bank.mutable_header()->mutable_quote()->mutable_values(0)->set_bank(0xffffffff);
  v1::SubmitRequest long_name = header;
  long_name.mutable_header()->set_host_id(std::string(513, 'h'));
  v1::SubmitRequest long_quote = header;
  long_quote.mutable_header()->mutable_quote()->set_attest(std::string(20'000, 'q'));
  v1::SubmitRequest cut_quote = header;
  cut_quote.mutable_header()->mutable_quote()->set_signature("\x00");
  const Script huge_log = {header, Chunk(v1::Chunk::BOOT_LOG, std::string(60'000, 'x')),
                           Chunk(v1::Chunk::BOOT_LOG, std::string(60'000, 'x'))};
  for (const Row& row :
       {Row{"nothing at all", {}, "MESSAGE_MALFORMED", kBad},
        Row{"an empty part", {v1::SubmitRequest()}, "MESSAGE_MALFORMED", kBad},
        Row{"chunk first", {log, header}, "MESSAGE_MALFORMED", kBad},
        Row{"two headers", {header, header}, "MESSAGE_MALFORMED", kBad},
        Row{"chunk of no kind", {header, Chunk(0, "x")}, "MESSAGE_MALFORMED", kBad},
        Row{"chunk of unknown kind", {header, Chunk(99, "x")}, "MESSAGE_MALFORMED", kBad},
        Row{"header alone", {header}, "MESSAGE_MALFORMED", kBad},
        Row{"chunk above its bound",
            {header, Chunk(v1::Chunk::BOOT_LOG, std::string(300'000, 'x'))},
            "MESSAGE_TOO_LARGE",
            kLimit},
        Row{"boot log above its bound", huge_log, "MESSAGE_TOO_LARGE", kLimit},
        Row{"too many values", {many_values}, "MESSAGE_TOO_LARGE", kLimit},
        Row{"value of an unknown bank", {odd_bank}, "MESSAGE_MALFORMED", kBad},
        Row{"long host id", {long_name}, "MESSAGE_TOO_LARGE", kLimit},
        Row{"long quote", {long_quote}, "MESSAGE_TOO_LARGE", kLimit},
        Row{"cut signature", {cut_quote}, "TPM_MARSHAL", kBad},
        Row{"default header",
            {[] {
              v1::SubmitRequest request;
              request.mutable_header();
              return request;
            }()},
            "HOST_ID_SYNTAX",
            kBad}}) {
    const grpc::Status status = Send(row.script);
    EXPECT_EQ(status.error_code(), row.code) << row.name << ": " << status.error_message();
    EXPECT_EQ(ReasonIn(status), row.reason) << row.name << ": " << status.error_message();
  }
}

TEST_F(AttackOnPort, A70_MessageOfMoreThanAMebibyte) {
  const grpc::Status status =
      Send({HeaderOf(Fresh()), Chunk(v1::Chunk::BOOT_LOG, std::string((1 << 20) + 1, 'x'))});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

TEST_F(AttackOnPort, A70_SubmissionWithoutADeadline) {
  grpc::ClientContext context;
  v1::SubmitResponse response;
  const auto writer = stub_->Submit(&context, &response);
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// Any bytes in the place of a message, and a method that is not there.
TEST_F(AttackOnPort, A70_BytesThatAreNoMessage) {
  grpc::GenericStub generic(channel_);
  for (const char* method :
       {"/bootgate.v1.Attestation/Submit", "/bootgate.v1.Attestation/GetChallenge",
        "/bootgate.v1.Enrollment/Begin", "/bootgate.v1.Enrollment/Complete",
        "/bootgate.v1.Admin/Approve"}) {
    for (const std::string& bytes :
         {std::string(), std::string(100, '\xff'), std::string("\x0a\xff\xff\xff\xff\x0f", 6),
          std::string(1000, '\x0a')}) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
      const grpc::Slice slice(bytes);
      const grpc::ByteBuffer request(&slice, 1);
      grpc::ByteBuffer response;
      std::promise<grpc::Status> told;
      generic.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                        [&](const grpc::Status& status) { told.set_value(status); });
      const grpc::Status status = told.get_future().get();
      EXPECT_FALSE(status.ok()) << method;
      EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << method;
    }
  }
}

// Bytes that are no TLS, on many connections that stay open.
TEST_F(AttackOnPort, A70_ConnectionsThatSpeakNoTls) {
  std::vector<int> sockets;
  for (int i = 0; i < 64; ++i) {
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(s, 0);
    sockets.push_back(s);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port_.port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    const std::string said = i % 4 == 0   ? "GET / HTTP/1.1\r\n\r\n"
                             : i % 4 == 1 ? std::string(4096, '\0')
                             : i % 4 == 2 ? std::string("\x16\x03\x01\xff\xff\x01", 6)
                                          : "";  // a handshake that never begins
    ASSERT_EQ(send(s, said.data(), said.size(), MSG_NOSIGNAL), static_cast<ssize_t>(said.size()));
  }
  // A new connection gets through while those are open.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(
      port_.address(), grpc::SslCredentials({port_.gate.authority.root_pem(), "", ""}), arguments);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
  v1::ChallengeRequest request;
  request.set_host_id(host_.id());
  request.set_ak_name(Text(host_.ak_name()));
  v1::Challenge challenge;
  const grpc::Status status =
      v1::Attestation::NewStub(channel)->GetChallenge(&context, request, &challenge);
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (const int s : sockets) close(s);
}

TEST_F(AttackOnPort, A21_WrongActivationAnswerTellsNothing) {
  const SoftHost stranger(port_.gate.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge challenge,
                          client_->BeginEnrollment(stranger.JoinRequest(port_.gate.token)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret, stranger.Activate(challenge));
  ::testing::internal::CaptureStderr();
  SecretBytes wrong = secret.Clone();
  wrong.mutable_view()[31] ^= 1;
  const absl::Status status =
      client_->CompleteEnrollment(challenge.session_id, wrong, stranger.ak_name()).status();
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(status, IsRejectedWith(Reason::kActivationFailed));
  EXPECT_THAT(logged, HasSubstr("ACTIVATION_FAILED"));
  const Bytes mac(challenge.id_object.begin() + 2, challenge.id_object.begin() + 34);
  for (const ByteView hidden : {secret.view(), wrong.view(), ByteView(mac)}) {
    for (const std::string& form :
         {Text(hidden), ToHex(hidden), ToHex(hidden.first(8)), ToBase64(hidden)}) {
      EXPECT_THAT(status.ToString(), Not(HasSubstr(form)));
      EXPECT_THAT(logged, Not(HasSubstr(form)));
    }
  }
}

TEST_F(AttackOnPort, A10_CutQuoteIsAnInvalidArgument) {
  evidence::Evidence evidence = Fresh();
  evidence.quote.attest.resize(40);
  evidence.quote.signature = host_.ak.Sign(evidence.quote.attest);
  const absl::Status status = client_->Submit(evidence).status();
  EXPECT_THAT(status, IsRejectedWith(Reason::kTpmMarshal));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

}  // namespace
}  // namespace bootgate::attack
