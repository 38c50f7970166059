#include "gatekeeper/http/revocation_pages.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "gatekeeper/http/routes.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::http {
namespace {

using ::bootgate::testing::IsOk;

constexpr char kSerial[] = "4a000000000000000000000000000001";

class RevocationPagesTest : public revocation::RevocationTest {
 protected:
  RevocationPagesTest() : publisher_(*store_, *authority_, clock_) {
    EXPECT_THAT(publisher_.Refresh(), IsOk());
  }
  Sources From() { return {.publisher = &publisher_, .clock = &clock_}; }
  Response Post(ByteView request, const std::string& type = "application/ocsp-request") {
    return OcspPosted(From(), {"/ocsp", std::string(AsText(request)), type});
  }
  Response Ask(ByteView request) {
    return OcspInPath(From(), {"/ocsp/" + absl::Base64Escape(AsText(request)), ""});
  }

  revocation::Publisher publisher_;
};

TEST_F(RevocationPagesTest, ListsAndCertificatesHaveTheirMediaTypes) {
  const Response der = RevocationList(From(), {"/crl/" + KeyId() + ".crl", ""});
  EXPECT_EQ(der.status, 200);
  EXPECT_EQ(der.content_type, "application/pkix-crl");
  EXPECT_EQ(der.keeping, Keeping::kWhileItHolds);
  EXPECT_FALSE(der.tag.empty());
  EXPECT_EQ((*der.kept)[0], 0x30);
  const Response pem = RevocationList(From(), {"/crl/" + KeyId() + ".pem", ""});
  EXPECT_EQ(pem.status, 200);
  EXPECT_EQ(pem.kept->substr(0, 24), "-----BEGIN X509 CRL-----");
  const Response certificate = CaCertificate(From(), {"/ca/" + KeyId() + ".cer", ""});
  EXPECT_EQ(certificate.content_type, "application/pkix-cert");
  EXPECT_EQ(*certificate.kept, AsText(issuer_->certificate));
}

TEST_F(RevocationPagesTest, OtherFilesAreNotThere) {
  for (const std::string& path :
       {std::string("/crl/"), std::string("/crl/x.crl"), "/crl/" + KeyId(),
        "/crl/" + KeyId() + ".cer", std::string("/crl/../../etc/passwd.crl"),
        "/crl//" + KeyId() + ".crl"}) {
    EXPECT_EQ(RevocationList(From(), {path, ""}).status, 404) << path;
  }
  EXPECT_EQ(CaCertificate(From(), {"/ca/" + KeyId() + ".crl", ""}).status, 404);
}

TEST_F(RevocationPagesTest, AListPastItsEndIsNotServed) {
  clock_.Advance(absl::Minutes(61));
  EXPECT_EQ(RevocationList(From(), {"/crl/" + KeyId() + ".crl", ""}).status, 503);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(RevocationList(From(), {"/crl/" + KeyId() + ".crl", ""}).status, 200);
}

TEST_F(RevocationPagesTest, OcspIsAskedByPostAndByGet) {
  Issue(kHost, {kSerial});
  ShutOut(kHost);
  const Bytes request = OcspRequestFor({kSerial});
  for (const Response& response : {Post(request), Ask(request)}) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/ocsp-response");
    EXPECT_EQ(StateIn(response.body, kSerial).status, V_OCSP_CERTSTATUS_REVOKED);
  }
}

TEST_F(RevocationPagesTest, CachesKeepNothingLongerThanASecond) {
  EXPECT_EQ(Ask(OcspRequestFor({kSerial})).max_age, absl::Seconds(1));
  EXPECT_EQ(Ask(OcspRequestFor({kSerial}, /*nonce=*/true)).max_age, absl::ZeroDuration());
  EXPECT_EQ(Post(OcspRequestFor({kSerial})).max_age, absl::ZeroDuration());
  EXPECT_EQ(Ask({}).max_age, absl::ZeroDuration());
}

TEST_F(RevocationPagesTest, WhatIsNoRequestIsAnsweredAsSuch) {
  for (const char* const path : {"/ocsp/", "/ocsp/%%%", "/ocsp/hello", "/ocsp/MAA="}) {
    const Response response = OcspInPath(From(), {path, ""});
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(StatusIn(response.body), OCSP_RESPONSE_STATUS_MALFORMEDREQUEST) << path;
  }
  const Bytes request = OcspRequestFor({kSerial});
  EXPECT_EQ(Post(request, "text/plain").status, 415);
  EXPECT_EQ(Post(request, "").status, 415);
  EXPECT_EQ(Post(request, "Application/OCSP-Request; x=y").status, 200);
  EXPECT_EQ(StatusIn(Post(Bytes(60'000, 0x30)).body), OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
}

TEST_F(RevocationPagesTest, TheTableHasThem) {
  const std::vector<Route> routes = RoutesFor(From());
  for (const char* const path : {"/crl/*", "/ca/*", "/ocsp", "/ocsp/*"}) {
    EXPECT_TRUE(std::ranges::any_of(routes, [&](const Route& r) { return r.path == path; }))
        << path;
  }
  for (const Route& route : RoutesFor({})) EXPECT_NE(route.path, "/crl/*");
}

}  // namespace
}  // namespace bootgate::gatekeeper::http
