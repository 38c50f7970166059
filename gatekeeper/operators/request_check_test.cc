#include "gatekeeper/operators/request_check.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>

#include "absl/strings/match.h"
#include "bootgate/v1/fleet.pb.h"
#include "gatekeeper/operators/desk_test.h"
#include "gatekeeper/operators/dispatch.h"
#include "gatekeeper/operators/messages.h"
#include "gatekeeper/operators/watch_hub.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using google::protobuf::FieldDescriptor;

// Every request with one text in one field, however deep.
struct Poisoned {
  std::string where;  // "SetLabelsRequest.set.key"
  std::string field;
  std::unique_ptr<Message> request;
};

void Poison(const Message& empty, const std::string& text, const std::string& prefix,
            const std::function<void(Poisoned)>& take,
            const std::function<std::unique_ptr<Message>(std::unique_ptr<Message>)>& wrap) {
  const auto& descriptor = *empty.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* const field = descriptor.field(i);
    const std::string where = absl::StrCat(prefix, ".", field->name());
    const auto put = [&](std::unique_ptr<Message> child) {
      std::unique_ptr<Message> message(empty.New());
      const auto& reflection = *message->GetReflection();
      Message* const slot = field->is_repeated() ? reflection.AddMessage(message.get(), field)
                                                 : reflection.MutableMessage(message.get(), field);
      slot->CopyFrom(*child);
      return wrap(std::move(message));
    };
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      std::unique_ptr<Message> message(empty.New());
      const auto& reflection = *message->GetReflection();
      if (field->is_repeated()) {
        reflection.AddString(message.get(), field, text);
      } else {
        reflection.SetString(message.get(), field, text);
      }
      take({where, field->name(), wrap(std::move(message))});
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::unique_ptr<Message> child(google::protobuf::MessageFactory::generated_factory()
                                               ->GetPrototype(field->message_type())
                                               ->New());
      Poison(*child, text, where, take, put);
    }
  }
}

class RequestCheckTest : public ::testing::Test {
 protected:
  RequestCheckTest() : hub_(desk_.store()), backend_(desk_.backend()) {
    dispatcher_ = Dispatcher::Make(backend_, hub_).value();
    desk_.PutHost("h-1");
  }

  absl::Status Ask(const google::protobuf::MethodDescriptor& method, const Message& request) {
    const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    const Caller caller = LocalCaller("operator alice");
    std::string bytes;
    request.SerializeToString(&bytes);
    return method.server_streaming() ? dispatcher_->Open(path, caller, bytes).status()
                                     : dispatcher_->Answer(path, caller, bytes).status();
  }

  // Asks every method with `text` in every field that `wanted` picks.
  int AskEverywhere(const std::string& text,
                    const std::function<bool(const std::string& field)>& wanted) {
    int asked = 0;
    for (const auto* method : OperatorsMethods()) {
      Poison(
          *NewRequest(*method), text, method->input_type()->name(),
          [&](Poisoned poisoned) {
            if (!wanted(poisoned.field)) return;
            ++asked;
            const absl::Status told = Ask(*method, *poisoned.request);
            EXPECT_THAT(told, HasCode(absl::StatusCode::kInvalidArgument))
                << poisoned.where << " took '" << text << "'";
            EXPECT_TRUE(ReasonOf(told).has_value() || absl::StrContains(told.message(), "UTF"))
                << poisoned.where;
          },
          [](std::unique_ptr<Message> message) { return message; });
    }
    return asked;
  }

  Desk desk_;
  WatchHub hub_;
  Backend backend_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

bool IsId(const std::string& field) {
  return absl::EndsWith(field, "_id") || absl::EndsWith(field, "_ids");
}

TEST_F(RequestCheckTest, A73_NoIdOfAnyRequestTakesAnythingButAnId) {
  const int64_t before = desk_.store().ChangeCounter().value();
  const std::vector<std::string> hostile = {"h-1\nroot did it",
                                            "../../etc/passwd",
                                            "h-1%2f..",
                                            std::string(254, 'a'),
                                            "h-1\xe2\x80\xaegnp",
                                            "h-1,CN=root",
                                            "H-1",
                                            "-h-1",
                                            "h-1.",
                                            "h 1",
                                            "h-1'--"};
  int asked = 0;
  for (const std::string& text : hostile) asked += AskEverywhere(text, IsId);
  EXPECT_GE(asked, 250);  // of 25 fields and more
  EXPECT_EQ(desk_.store().ChangeCounter().value(), before);
}

TEST_F(RequestCheckTest, A73_NoTextOfAnyRequestTurnsLinesOrDirections) {
  const int64_t before = desk_.store().ChangeCounter().value();
  const auto any = [](const std::string&) { return true; };
  int asked = 0;
  for (const char* text : {"a\nb", "a\rb", "\x1b[2J", "x\xe2\x80\xaegnp", "x\xe2\x81\xa6"})
    asked += AskEverywhere(text, any);
  // Longer than anything is.
  asked += AskEverywhere(std::string(9000, 'a'), any);
  EXPECT_GE(asked, 600);
  EXPECT_EQ(desk_.store().ChangeCounter().value(), before);
}

TEST_F(RequestCheckTest, A73_NoLabelTakesAnythingButALabel) {
  const auto is_label = [](const std::string& field) {
    return field == "selector" || field == "key" || field == "remove";
  };
  for (const char* text : {"../role", "a=b=c/../d", "role=%2fx", "role=x,y", ",", "a\nb=c"})
    EXPECT_GE(AskEverywhere(text, is_label), 10);
}

TEST_F(RequestCheckTest, TooManyAtOnceAreRefused) {
  v1::ApproveHostsRequest request;
  for (size_t i = 0; i <= kMaxListed; ++i) request.add_host_ids("h-1");
  EXPECT_THAT(CheckRequest(request), Refuses(Reason::kMessageTooLarge));
}

TEST_F(RequestCheckTest, GoodRequestsPass) {
  v1::SetLabelsRequest request;
  request.add_host_ids("h-00112233445566778899aabbccddeeff");
  (*request.mutable_set())["role"] = "db";
  request.set_reason("moved to rack 7 (ticket #12)");
  request.set_idempotency_key("0f5c1c9e-0000-4000-8000-000000000000");
  EXPECT_THAT(CheckRequest(request), IsOk());
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators
