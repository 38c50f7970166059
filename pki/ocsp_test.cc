#include "pki/ocsp.h"

#include <openssl/ocsp.h>

#include "absl/strings/escaping.h"
#include "common/base/reason.h"
#include "gmock/gmock.h"
#include "pki/der.h"
#include "pki/ocsp_responder.h"
#include "pki/published_test.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using RequestPtr = std::unique_ptr<OCSP_REQUEST, crypto::FreeWith<OCSP_REQUEST_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, crypto::FreeWith<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, crypto::FreeWith<OCSP_BASICRESP_free>>;

constexpr char kSerial[] = "40112233445566778899aabbccddeeff";
constexpr char kOther[] = "4f112233445566778899aabbccddeeff";

class OcspTest : public PublishedTest {
 protected:
  OcspTest() : responder_(OcspResponder::Make(*issuer_, kNow).value()) {}

  // A request as OpenSSL makes it.
  RequestPtr Ask(const std::vector<std::string>& serials, const EVP_MD* digest = EVP_sha1()) const {
    RequestPtr request(OCSP_REQUEST_new());
    const auto issuing = IssuerCertificate();
    for (const std::string& serial : serials) {
      const auto leaf = ParseCertificate(Issue(serial)).value();
      OCSP_request_add0_id(request.get(), OCSP_cert_to_id(digest, leaf.get(), issuing.get()));
    }
    return request;
  }
  static Bytes Der(OCSP_REQUEST* request) {
    uint8_t* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request, &der);
    Bytes out(der, der + size);
    OPENSSL_free(der);
    return out;
  }
  // The answer to a request where kSerial is revoked and all else good.
  Bytes Answer(const OcspRequest& request) const {
    std::vector<OcspAnswer> answers;
    for (const OcspCertId& id : request.certificates) {
      const bool revoked = ToHex(id.serial) == kSerial;
      answers.push_back({.cert_id = id.der,
                         .status = revoked ? OcspStatus::kRevoked : OcspStatus::kGood,
                         .revoked_at = kNow - absl::Minutes(1),
                         .reason = RevocationReason::kPrivilegeWithdrawn});
    }
    return responder_.Respond(request, answers, {kNow, kNow + absl::Minutes(5)}).value();
  }
  // What OpenSSL takes out of an answer once signature and responder are verified; nullptr when
  // they do not verify.
  BasicPtr Open(ByteView der) const {
    const uint8_t* at = der.data();
    const ResponsePtr response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));  // NOLINT: their type
    if (response == nullptr || at != der.data() + der.size()) return nullptr;
    EXPECT_EQ(OCSP_response_status(response.get()), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    BasicPtr basic(OCSP_response_get1_basic(response.get()));
    const crypto::X509StorePtr store(X509_STORE_new());
    const auto root = Root(), issuing = IssuerCertificate();
    X509_STORE_add_cert(store.get(), root.get());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), absl::ToTimeT(kNow));
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, issuing.get());
    const int verified = OCSP_basic_verify(basic.get(), untrusted, store.get(), 0);
    sk_X509_free(untrusted);
    crypto::ClearOpenSslErrors();
    return verified == 1 ? std::move(basic) : nullptr;
  }
  struct Found {
    int status = -1, reason = -1;
  };
  Found Find(OCSP_BASICRESP* basic, const std::string& serial,
             const EVP_MD* digest = EVP_sha1()) const {
    const auto leaf = ParseCertificate(Issue(serial)).value();
    const auto issuing = IssuerCertificate();
    OCSP_CERTID* const id = OCSP_cert_to_id(digest, leaf.get(), issuing.get());
    Found found;
    ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *to = nullptr;
    OCSP_resp_find_status(basic, id, &found.status, &found.reason, &revoked, &from, &to);
    OCSP_CERTID_free(id);
    EXPECT_EQ(ASN1_TIME_cmp_time_t(from, absl::ToTimeT(kNow)), 0);
    EXPECT_EQ(ASN1_TIME_cmp_time_t(to, absl::ToTimeT(kNow + absl::Minutes(5))), 0);
    if (revoked != nullptr) {
      EXPECT_EQ(ASN1_TIME_cmp_time_t(revoked, absl::ToTimeT(kNow - absl::Minutes(1))), 0);
    }
    return found;
  }

  OcspResponder responder_;
};

TEST_F(OcspTest, OpenSslBelievesTheAnswers) {
  BG_ASSERT_OK_AND_ASSIGN(const OcspRequest request,
                          ReadOcspRequest(Der(Ask({kSerial, kOther}).get())));
  ASSERT_THAT(request.certificates, SizeIs(2));
  EXPECT_THAT(request.nonce, IsEmpty());
  const BasicPtr basic = Open(Answer(request));
  ASSERT_NE(basic, nullptr);
  EXPECT_EQ(Find(basic.get(), kSerial).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(Find(basic.get(), kSerial).reason, 9);
  EXPECT_EQ(Find(basic.get(), kOther).status, V_OCSP_CERTSTATUS_GOOD);
}

TEST_F(OcspTest, ClientsMayHashAsTheyLike) {
  for (const EVP_MD* const digest : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    BG_ASSERT_OK_AND_ASSIGN(const OcspRequest request,
                            ReadOcspRequest(Der(Ask({kOther}, digest).get())));
    EXPECT_TRUE(responder_.IsIssuerOf(request.certificates[0])) << EVP_MD_get0_name(digest);
    const BasicPtr basic = Open(Answer(request));
    ASSERT_NE(basic, nullptr);
    EXPECT_EQ(Find(basic.get(), kOther, digest).status, V_OCSP_CERTSTATUS_GOOD);
  }
}

TEST_F(OcspTest, OtherIssuersAreNotOurs) {
  const Bytes der = Der(Ask({kOther}).get());
  OcspRequest request = ReadOcspRequest(der).value();
  OcspCertId& id = request.certificates[0];
  id.issuer_name_hash[0] ^= 1;
  EXPECT_FALSE(responder_.IsIssuerOf(id));
  id.issuer_name_hash[0] ^= 1;
  id.issuer_key_hash[19] ^= 1;
  EXPECT_FALSE(responder_.IsIssuerOf(id));
  id.issuer_key_hash.clear();
  EXPECT_FALSE(responder_.IsIssuerOf(id));
  const OcspRequest md5 = ReadOcspRequest(Der(Ask({kOther}, EVP_md5()).get())).value();
  EXPECT_FALSE(responder_.IsIssuerOf(md5.certificates[0]));
}

TEST_F(OcspTest, ANonceComesBack) {
  const RequestPtr asked = Ask({kOther});
  OCSP_request_add1_nonce(asked.get(), nullptr, 32);
  BG_ASSERT_OK_AND_ASSIGN(const OcspRequest request, ReadOcspRequest(Der(asked.get())));
  const BasicPtr basic = Open(Answer(request));
  ASSERT_NE(basic, nullptr);
  EXPECT_EQ(OCSP_check_nonce(asked.get(), basic.get()), 1) << "present in both and equal";
  const BasicPtr without = Open(Answer(ReadOcspRequest(Der(Ask({kOther}).get())).value()));
  ASSERT_NE(without, nullptr);
  EXPECT_EQ(OCSP_check_nonce(asked.get(), without.get()), -1) << "in the request alone";
}

TEST_F(OcspTest, AChangedAnswerIsNotBelieved) {
  const OcspRequest request = ReadOcspRequest(Der(Ask({kSerial}).get())).value();
  Bytes der = Answer(request);
  const auto at = std::ranges::search(der, request.certificates[0].serial).begin();
  ASSERT_NE(at, der.end());
  *(at + 1) ^= 1;
  EXPECT_EQ(Open(der), nullptr);
}

// A host's own credential must not pass for a responder's: only the CA says who answers.
TEST_F(OcspTest, NobodyElseAnswers) {
  const auto key = std::make_shared<const crypto::PrivateKey>(
      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value());
  const Bytes certificate = authority_
                                ->IssueHost({.serial_hex = kOther,
                                             .host_id = "h-00112233445566778899aabbccddeeff",
                                             .verdict_id = "v-0123456789abcdef0123456789abcdef",
                                             .policy_id = std::string(64, 'a'),
                                             .claims_digest_hex = std::string(64, 'b'),
                                             .not_before = kNow - absl::Minutes(5),
                                             .not_after = kNow + absl::Hours(1)},
                                            key->Public())
                                .value();
  const OcspRequest request = ReadOcspRequest(Der(Ask({kSerial}).get())).value();
  const X509* const parsed = ParseCertificate(certificate).value().release();
  const crypto::X509Ptr owned(const_cast<X509*>(parsed));
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(parsed);
  const Bytes key_hash =
      ToBytes(crypto::Hash(crypto::HashAlg::kSha1,
                           ByteView(ASN1_STRING_get0_data(bits), static_cast<size_t>(bits->length)))
                  .view());
  const Bytes forged =
      MakeOcspResponse(
          {.responder_key_hash = key_hash,
           .this_update = kNow,
           .next_update = kNow + absl::Minutes(5),
           .answers = {{.cert_id = request.certificates[0].der, .status = OcspStatus::kGood}},
           .responder_certificate = certificate},
          CertificateSigner::For(key).value())
          .value();
  EXPECT_EQ(Open(forged), nullptr);
}

TEST_F(OcspTest, TheResponderIsNamedByTheCaAndEndsWithIt) {
  EXPECT_FALSE(responder_.IsDue(kNow + absl::Hours(11)));
  EXPECT_TRUE(responder_.IsDue(kNow + absl::Hours(12)));
  const auto late = OcspResponder::Make(*issuer_, issuer_->not_after - absl::Hours(1)).value();
  EXPECT_EQ(late.not_after(), issuer_->not_after);
  Issuer elsewhere = *issuer_;
  elsewhere.signer.reset();
  EXPECT_THAT(OcspResponder::Make(elsewhere, kNow), Refuses(Reason::kCaKey));
}

TEST_F(OcspTest, ErrorsAreWhatOpenSslReads) {
  for (const auto& [error, status] :
       {std::pair{OcspError::kMalformedRequest, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
        std::pair{OcspError::kInternalError, OCSP_RESPONSE_STATUS_INTERNALERROR},
        std::pair{OcspError::kTryLater, OCSP_RESPONSE_STATUS_TRYLATER},
        std::pair{OcspError::kUnauthorized, OCSP_RESPONSE_STATUS_UNAUTHORIZED}}) {
    const Bytes der = OcspErrorResponse(error);
    const uint8_t* at = der.data();
    const ResponsePtr response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));  // NOLINT: their type
    ASSERT_NE(response, nullptr);
    EXPECT_EQ(OCSP_response_status(response.get()), status);
  }
}

// ---- hostile requests

// A CertID of our own making; `serial`: the INTEGER's contents.
Bytes CertIdWith(ByteView serial) {
  const Bytes hash(20, 0x11);
  return der::Sequence(
      {der::Sequence({der::Oid({1, 3, 14, 3, 2, 26})}), der::Element(der::kOctetString, {hash}),
       der::Element(der::kOctetString, {hash}), der::Element(der::kInteger, {serial})});
}
Bytes Requests(size_t count) {
  static constexpr uint8_t kOne[] = {1};
  Bytes all;
  for (size_t i = 0; i < count; ++i) {
    const Bytes one = der::Sequence({CertIdWith(kOne)});
    all.insert(all.end(), one.begin(), one.end());
  }
  return der::Sequence({all});
}
Bytes Whole(const Bytes& list, const Bytes& after = {}) {
  return der::Sequence({der::Sequence({list, after})});
}
Bytes NonceOf(size_t size, bool twice = false) {
  const Bytes value = der::Element(der::kOctetString, {Bytes(size, 7)});
  const Bytes extension = der::Sequence(
      {der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 1, 2}), der::Element(der::kOctetString, {value})});
  const Bytes second = twice ? extension : Bytes{};
  return der::Element(0xa2, {der::Sequence({extension, second})});
}

TEST(ReadOcspRequest, KeepsToItsBounds) {
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(kMaxOcspCertificates))), IsOk());
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(kMaxOcspCertificates + 1))),
              Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(0))), Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(ReadOcspRequest(Bytes(kMaxOcspRequest + 1, 0x30)), Refuses(Reason::kMessageTooLarge));
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(1), NonceOf(kMaxOcspNonce))), IsOk());
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(1), NonceOf(kMaxOcspNonce + 2))),
              Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(ReadOcspRequest(Whole(Requests(1), NonceOf(16, /*twice=*/true))),
              Refuses(Reason::kMessageMalformed));
}

struct BadRequest {
  const char* name;
  Bytes der;
};
void PrintTo(const BadRequest& row, std::ostream* os) { *os << row.name; }
class ReadOcspRequestRejectsTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(ReadOcspRequestRejectsTest, AsMalformed) {
  EXPECT_THAT(ReadOcspRequest(GetParam().der), Refuses(Reason::kMessageMalformed));
}

INSTANTIATE_TEST_SUITE_P(
    BadRequests, ReadOcspRequestRejectsTest,
    ::testing::ValuesIn(std::vector<BadRequest>{
        {"Nothing", {}},
        {"Text", ToBytes(AsBytes("hello"))},
        {"Indefinite", FromHex("308030000000").value()},
        {"HugeLength", FromHex("3084ffffffff").value()},
        {"LengthOfTooManyBytes", FromHex("30850000000000").value()},
        {"Trailing", FromHex("30023000ff").value()},
        {"AfterTheSignature",
         der::Sequence({der::Sequence({Requests(1)}), der::Number(1), der::Number(1)})},
        {"Version2",
         der::Sequence({der::Sequence({der::Element(0xa0, {der::Number(1)}), Requests(1)})})},
        {"CriticalExtension",
         Whole(Requests(1), der::Element(0xa2, {der::Sequence({der::Sequence(
                                                   {der::Oid({1, 2, 3}), der::Boolean(true),
                                                    der::Element(der::kOctetString, {})})})}))},
        {"CertIdWithoutSerial", Whole(der::Sequence({der::Sequence({der::Sequence(
                                    {der::Sequence({der::Oid({1, 3, 14, 3, 2, 26})})})})}))},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReadOcspRequest, TakesSerialsThatCannotBeOurs) {
  const auto serial_of = [](ByteView contents) {
    return ReadOcspRequest(Whole(der::Sequence({der::Sequence({CertIdWith(contents)})})))
        .value()
        .certificates[0]
        .serial;
  };
  const uint8_t negative[] = {0x80, 1}, padded[] = {0, 0, 5};
  EXPECT_THAT(serial_of(negative), IsEmpty());
  EXPECT_THAT(serial_of({}), IsEmpty());
  EXPECT_THAT(serial_of(Bytes(200, 1)), IsEmpty());
  EXPECT_EQ(serial_of(padded), Bytes({5}));
}

}  // namespace
}  // namespace bootgate::pki
