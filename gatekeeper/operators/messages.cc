#include "gatekeeper/operators/messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/field_mask_util.h>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/admin.pb.h"
#include "bootgate/v1/fleet.pb.h"
#include "bootgate/v1/incidents.pb.h"
#include "bootgate/v1/policies.pb.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::operators {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using google::protobuf::util::FieldMaskUtil;

constexpr int kMaxPaths = 64;

absl::Status CheckMask(const FieldMask& mask, const FieldDescriptor& of) {
  if (mask.paths_size() > kMaxPaths) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("fields: at most ", kMaxPaths, " paths"));
  }
  for (const std::string& path : mask.paths()) {
    if (FieldMaskUtil::GetFieldDescriptors(of.message_type(), path, nullptr)) continue;
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("fields: '", Printable(path, 64), "' is no field of ",
                                  of.message_type()->full_name()));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<const MethodDescriptor*> OperatorsMethods() {
  std::vector<const MethodDescriptor*> out;
  for (const auto* file :
       {v1::Host::descriptor()->file(), v1::QuarantineEntry::descriptor()->file(),
        v1::Incident::descriptor()->file(), v1::PolicyVersion::descriptor()->file(),
        v1::Ca::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* const service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) out.push_back(service->method(j));
    }
  }
  return out;
}

std::unique_ptr<Message> NewRequest(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
}

std::unique_ptr<Message> NewAnswer(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(method.output_type())->New());
}

std::string Serialized(const Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return out;
}

Bytes DigestOf(absl::string_view method, const Message& request) {
  const crypto::Digest digest = crypto::Hash(
      crypto::HashAlg::kSha256, AsBytes(absl::StrCat(method, "\n", Serialized(request))));
  return Bytes(digest.view().begin(), digest.view().end());
}

std::string TextField(const Message& message, const char* name) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? std::string() : message.GetReflection()->GetString(message, field);
}

bool FlagField(const Message& message, const char* name) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  return field != nullptr && message.GetReflection()->GetBool(message, field);
}

absl::Status TrimAnswer(const Message& request, Message* answer) {
  const FieldDescriptor* const fields = request.GetDescriptor()->FindFieldByName("fields");
  if (fields == nullptr) return absl::OkStatus();
  const auto& mask =
      static_cast<const FieldMask&>(request.GetReflection()->GetMessage(request, fields));
  if (mask.paths_size() == 0) return absl::OkStatus();
  const FieldDescriptor* const listed = answer->GetDescriptor()->FindFieldByNumber(1);
  BG_RETURN_IF_ERROR(CheckMask(mask, *listed));
  const auto& reflection = *answer->GetReflection();
  if (!listed->is_repeated()) {
    FieldMaskUtil::TrimMessage(mask, reflection.MutableMessage(answer, listed));
    return absl::OkStatus();
  }
  for (int i = 0; i < reflection.FieldSize(*answer, listed); ++i)
    FieldMaskUtil::TrimMessage(mask, reflection.MutableRepeatedMessage(answer, listed, i));
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::operators
