#include "gatekeeper/client/api.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "google/protobuf/message_lite.h"
#include "google/rpc/error_info.pb.h"

namespace bootgate::gatekeeper::client {
namespace {

namespace fs = std::filesystem;

constexpr char kPackage[] = "/bootgate.v1.";
constexpr size_t kMaxPem = size_t{1} << 20;  // bytes
constexpr int kMaxAnswer = 64 << 20;         // bytes
constexpr char kAuthFailures[][32] = {"andshake failed",         "certificate verify failed",
                                      "not in peer certificate", "Hostname Verification",
                                      "WRONG_VERSION_NUMBER",    "wrong version number",
                                      "Cannot check peer"};

std::optional<Reason> ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) return ReasonFromCode(info.reason());
  }
  return std::nullopt;
}

// How gRPC 1.51 words a handshake that ended because of who the other side is, or is not.
bool IsServerAuthFailure(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return false;
  for (const char* const sign : kAuthFailures) {
    if (absl::StrContains(status.error_message(), sign)) return true;
  }
  return false;
}

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (IsServerAuthFailure(status)) {
    return NotAuthentic(Reason::kServerAuth, Printable(status.error_message()));
  }
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()),
                   Printable(status.error_message(), 4096));
  const std::optional<Reason> reason = ReasonIn(status);
  return reason.has_value() ? WithReason(std::move(out), *reason) : out;
}

grpc::ByteBuffer BufferOf(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status Read(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    if (message.ParseFromString(bytes)) return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kInternal, Reason::kMessageMalformed,
                "the gatekeeper's answer cannot be read");
}

class ChannelApi final : public Api {
 public:
  explicit ChannelApi(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}

  absl::Status Call(absl::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& answer, absl::Duration deadline) override {
    grpc::ClientContext context;
    SetDeadline(context, deadline);
    grpc::CompletionQueue queue;
    const auto call =
        stub_.PrepareUnaryCall(&context, absl::StrCat(kPackage, method), BufferOf(request), &queue);
    call->StartCall();
    grpc::ByteBuffer buffer;
    grpc::Status status;
    call->Finish(&buffer, &status, this);
    Await(queue);
    BG_RETURN_IF_ERROR(ToStatus(status));
    return Read(buffer, answer);
  }

  absl::Status Stream(absl::string_view method, const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& answer,
                      const std::function<absl::Status()>& each, absl::Duration deadline) override {
    grpc::ClientContext context;
    SetDeadline(context, deadline);
    grpc::CompletionQueue queue;
    const auto call = stub_.PrepareCall(&context, absl::StrCat(kPackage, method), &queue);
    call->StartCall(this);
    bool going = Await(queue);
    if (going) {
      call->WriteLast(BufferOf(request), grpc::WriteOptions(), this);
      going = Await(queue);
    }
    absl::Status own;
    while (going && own.ok()) {
      grpc::ByteBuffer buffer;
      call->Read(&buffer, this);
      going = Await(queue);
      if (going) own = Read(buffer, answer);
      if (going && own.ok()) own = each();
    }
    if (!own.ok()) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, this);
    Await(queue);
    return own.ok() ? ToStatus(status) : own;
  }

 private:
  static void SetDeadline(grpc::ClientContext& context, absl::Duration from_now) {
    if (from_now == absl::InfiniteDuration()) return;
    context.set_deadline(absl::ToChronoTime(absl::Now() + from_now));
  }
  // The one operation that is under way: false when it did not come to pass.
  static bool Await(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool done = false;
    return queue.Next(&tag, &done) && done;
  }

  grpc::GenericStub stub_;
};

absl::StatusOr<std::string> PemIn(absl::string_view option, const std::string& file) {
  absl::StatusOr<std::string> text = ReadTextFile(file, kMaxPem);
  if (text.ok()) return text;
  return absl::Status(text.status().code(),
                      absl::StrCat(option, ": ", file, ": ", text.status().message()));
}

// In the same file, or beside it: of NAME.pem in NAME.key.
absl::StatusOr<std::string> KeyOf(const std::string& identity, const std::string& pem) {
  if (absl::StrContains(pem, "PRIVATE KEY-----")) return pem;
  const std::string file = fs::path(identity).replace_extension(".key").string();
  if (file != identity && FileExists(file)) return PemIn("--identity", file);
  return absl::InvalidArgumentError(absl::StrCat(
      "--identity: ", identity, ": there is no private key in it, and there is no ", file));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Api>> Api::Connect(const ServerOptions& options) {
  if (options.identity.empty()) {
    return absl::InvalidArgumentError(
        "--server needs --identity: an operator's certificate, as `ca operator issue` writes it");
  }
  grpc::SslCredentialsOptions tls;
  BG_ASSIGN_OR_RETURN(tls.pem_cert_chain, PemIn("--identity", options.identity));
  BG_ASSIGN_OR_RETURN(tls.pem_private_key, KeyOf(options.identity, tls.pem_cert_chain));
  const std::string roots = options.ca.empty()
                                ? fs::path(options.identity).replace_filename("roots.pem").string()
                                : options.ca;
  BG_ASSIGN_OR_RETURN(tls.pem_root_certs, PemIn("--ca", roots));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswer);
  if (!options.name.empty()) arguments.SetSslTargetNameOverride(options.name);
  return Over(grpc::CreateCustomChannel(options.address, grpc::SslCredentials(tls), arguments));
}

std::unique_ptr<Api> Api::Over(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<ChannelApi>(std::move(channel));
}

}  // namespace bootgate::gatekeeper::client
