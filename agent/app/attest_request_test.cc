#include "agent/app/attest_request.h"

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

TEST(AttestRequest, IsMadeFromTheWordsOfTheCommandLine) {
  const desk::ScratchFolder scratch;
  const std::string key = scratch.path() + "/key.jwk", data = scratch.path() + "/data";
  ASSERT_THAT(WriteFileAtomically(key, AsBytes("{\"kty\":\"EC\"}\n"), 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(data, Bytes{1, 2, 0}, 0600), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const AttestRequest request,
                          RequestOf({.strings = {"zone=a=b", "empty="},
                                     .integers = {"rack=7"},
                                     .booleans = {"spare=true"},
                                     .key_file = key,
                                     .rp_data_file = data,
                                     .other_keys = {"sha256:7", "sha256:0-4"}}));
  const std::vector<evidence::CustomClaim>& claims = request.statement.custom_claims;
  ASSERT_EQ(claims.size(), 4u);
  EXPECT_EQ(claims[0].name, "zone");
  EXPECT_EQ(claims[0].value, "a=b");
  EXPECT_EQ(claims[0].value_type, "String");
  EXPECT_EQ(claims[1].value, "");
  EXPECT_EQ(claims[2].value_type, "Integer");
  EXPECT_EQ(claims[3].value_type, "Boolean");
  EXPECT_EQ(request.statement.request_key, "{\"kty\":\"EC\"}\n") << "as it lies in the file";
  EXPECT_EQ(request.statement.rp_data, (Bytes{1, 2, 0}));
  EXPECT_EQ(request.other_keys.size(), 2u);
  EXPECT_FALSE(request.want_token);
}

TEST(AttestRequest, NothingIsAnEmptyStatement) {
  BG_ASSERT_OK_AND_ASSIGN(const AttestRequest request, RequestOf({}));
  EXPECT_TRUE(request.statement.empty());
  EXPECT_TRUE(request.other_keys.empty());
}

TEST(AttestRequest, WordsThatSayNothingAreRefused) {
  const auto refused = HasCode(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(RequestOf({.strings = {"zone"}}), refused);
  EXPECT_THAT(RequestOf({.integers = {"=7"}}), refused);
  EXPECT_THAT(RequestOf({.rp_data_hex = "0g"}), refused);
  EXPECT_THAT(RequestOf({.rp_data_hex = "00", .rp_data_file = "/dev/null"}), refused);
  EXPECT_THAT(RequestOf({.other_keys = {"sha256:99"}}), refused);
  EXPECT_THAT(RequestOf({.other_keys = {"sha256:1", "sha256:2", "sha256:3"}}), refused);
  EXPECT_THAT(RequestOf({.key_file = "/nonexistent"}), HasCode(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace bootgate::agent::app
