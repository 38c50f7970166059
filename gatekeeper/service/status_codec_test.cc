#include "gatekeeper/service/status_codec.h"

#include <grpcpp/support/status.h>

#include <new>

#include "common/base/reason.h"
#include "gatekeeper/service/guard.h"
#include "google/rpc/error_info.pb.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::service {
namespace {

std::string ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() != 1)
    return "none";
  return details.details(0).UnpackTo(&info) ? info.reason() : "none";
}

TEST(ToGrpc, CarriesCodeMessageAndReason) {
  const grpc::Status status = ToGrpc(Malformed(Reason::kQuoteMagic, "first bytes are 00000000"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "first bytes are 00000000");
  EXPECT_EQ(ReasonIn(status), "QUOTE_MAGIC");
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST(ToGrpc, OurOwnFaultsKeepTheirDetailsInside) {
  const grpc::Status status = ToGrpc(Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                                            "row 7 of /srv/bootgate/gatekeeper.db"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("gatekeeper.db"), std::string::npos);
  EXPECT_EQ(ReasonIn(status), "RECORD_CORRUPT");
}

TEST(ToGrpc, CutStructuresAreMalformed) {
  const grpc::Status status = ToGrpc(Refuse(absl::StatusCode::kOutOfRange, Reason::kTpmMarshal,
                                            "need 4 bytes at offset 0, have 0"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "TPM_MARSHAL");
}

TEST(Attack, A74_AnExceptionIsAnErrorNeverAnAnswer) {
  const absl::Status out_of_memory = Guarded([]() -> absl::Status { throw std::bad_alloc(); });
  EXPECT_EQ(ReasonOf(out_of_memory), Reason::kInternal);
  EXPECT_EQ(Info(*ReasonOf(out_of_memory)).outcome, OutcomeClass::kError);
  const absl::Status odd =
      Guarded([]() -> absl::Status { throw 7; });  // NOLINT(hicpp-exception-baseclass)
  EXPECT_EQ(odd.code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace bootgate::gatekeeper::service
