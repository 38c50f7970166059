#include "pki/crl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/reason.h"
#include "gmock/gmock.h"
#include "pki/published_test.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::StartsWith;

using CrlPtr = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;

constexpr char kSerial[] = "40112233445566778899aabbccddeeff";

CrlPtr Parse(ByteView der) {
  const uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));  // NOLINT: their type
  EXPECT_EQ(at, der.data() + der.size());
  return crl;
}

class CrlTest : public PublishedTest {
 protected:
  CrlFields Fields() const {
    return {.issuer = issuer_->name,
            .issuer_key_id = issuer_->key_id,
            .number = 7,
            .this_update = kNow,
            .next_update = kNow + absl::Hours(1)};
  }
  RevokedCertificate Revoked(const std::string& serial_hex) const {
    return {.serial = FromHex(serial_hex).value(),
            .revoked_at = kNow - absl::Minutes(1),
            .not_after = kNow + absl::Hours(1),
            .reason = RevocationReason::kPrivilegeWithdrawn,
            .invalid_since = kNow - absl::Minutes(11)};
  }
  Bytes Make(const std::vector<RevokedCertificate>& revoked) const {
    return MakeCrl(Fields(), revoked, *issuer_->signer).value();
  }
  // OpenSSL's verdict over a certificate with this list; X509_V_OK or the error.
  int Verify(ByteView leaf_der, X509_CRL* crl, absl::Time at) const {
    const auto leaf = ParseCertificate(leaf_der).value();
    const auto issuing = IssuerCertificate(), root = Root();
    const crypto::X509StorePtr store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root.get());
    X509_STORE_add_crl(store.get(), crl);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), absl::ToTimeT(at));
    X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK);
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, issuing.get());
    const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), untrusted);
    X509_verify_cert(context.get());
    sk_X509_free(untrusted);
    return X509_STORE_CTX_get_error(context.get());
  }
};

TEST_F(CrlTest, OpenSslReadsWhatWasMeant) {
  const CrlPtr crl = Parse(Make({Revoked(kSerial)}));
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_verify(crl.get(), X509_get0_pubkey(IssuerCertificate().get())), 1);
  EXPECT_EQ(X509_CRL_get_version(crl.get()), 1);  // v2
  const std::unique_ptr<ASN1_INTEGER, crypto::FreeWith<ASN1_INTEGER_free>> number(
      static_cast<ASN1_INTEGER*>(
          X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr)));
  EXPECT_EQ(ASN1_INTEGER_get(number.get()), 7);
  EXPECT_GE(X509_CRL_get_ext_by_NID(crl.get(), NID_authority_key_identifier, -1), 0);

  STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
  ASSERT_EQ(sk_X509_REVOKED_num(entries), 1);
  X509_REVOKED* const entry = sk_X509_REVOKED_value(entries, 0);
  const crypto::BnPtr serial(ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(entry), nullptr));
  Bytes magnitude(static_cast<size_t>(BN_num_bytes(serial.get())));
  BN_bn2bin(serial.get(), magnitude.data());
  EXPECT_EQ(ToHex(magnitude), kSerial);
  const std::unique_ptr<ASN1_ENUMERATED, crypto::FreeWith<ASN1_ENUMERATED_free>> reason(
      static_cast<ASN1_ENUMERATED*>(
          X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
  EXPECT_EQ(ASN1_ENUMERATED_get(reason.get()), 9);
  const std::unique_ptr<ASN1_TIME, crypto::FreeWith<ASN1_TIME_free>> since(static_cast<ASN1_TIME*>(
      X509_REVOKED_get_ext_d2i(entry, NID_invalidity_date, nullptr, nullptr)));
  EXPECT_EQ(ASN1_TIME_cmp_time_t(since.get(), absl::ToTimeT(kNow - absl::Minutes(11))), 0);
}

TEST_F(CrlTest, OpenSslRefusesExactlyTheRevokedCertificate) {
  const std::string other = "4f112233445566778899aabbccddeeff";
  const CrlPtr crl = Parse(Make({Revoked(kSerial)}));
  EXPECT_EQ(Verify(Issue(kSerial), crl.get(), kNow), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(Verify(Issue(other), crl.get(), kNow), X509_V_OK);
  EXPECT_EQ(Verify(Issue(other), crl.get(), kNow + absl::Minutes(59)), X509_V_OK);
}

TEST_F(CrlTest, AListIsNotBelievedAfterItsNextUpdate) {
  CrlFields fields = Fields();
  fields.next_update = kNow + absl::Minutes(10);
  const CrlPtr crl = Parse(MakeCrl(fields, {}, *issuer_->signer).value());
  EXPECT_EQ(Verify(Issue(kSerial), crl.get(), kNow + absl::Minutes(9)), X509_V_OK);
  EXPECT_EQ(Verify(Issue(kSerial), crl.get(), kNow + absl::Minutes(11)),
            X509_V_ERR_CRL_HAS_EXPIRED);
}

TEST_F(CrlTest, AnEmptyListHasNoEntriesAtAll) {
  const CrlPtr crl = Parse(Make({}));
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_get_REVOKED(crl.get()), nullptr);
  EXPECT_EQ(X509_CRL_verify(crl.get(), X509_get0_pubkey(IssuerCertificate().get())), 1);
}

// RFC 5280, 3.3: an entry goes only after it was in a list made past the certificate's end.
TEST_F(CrlTest, ExpiredCertificatesLeaveTheListAfterOneListMore) {
  RevokedCertificate certificate = Revoked(kSerial);
  const auto listed = [&](absl::Time not_after) {
    certificate.not_after = not_after;
    return X509_CRL_get_REVOKED(Parse(Make({certificate})).get()) != nullptr;
  };
  EXPECT_TRUE(listed(absl::InfiniteFuture()));
  EXPECT_TRUE(listed(kNow));
  EXPECT_TRUE(listed(kNow - absl::Minutes(59)));
  EXPECT_FALSE(listed(kNow - absl::Minutes(61)));
}

TEST_F(CrlTest, AReasonThatSaysNothingIsLeftOut) {
  RevokedCertificate certificate = Revoked(kSerial);
  certificate.reason = RevocationReason::kUnspecified;
  certificate.invalid_since.reset();
  const CrlPtr crl = Parse(Make({certificate}));
  const X509_REVOKED* const entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), 0);
  EXPECT_EQ(X509_REVOKED_get_ext_count(entry), 0);
}

// Serials that look like negative numbers, are short, or have leading zeros.
TEST_F(CrlTest, SerialsAreTheirNumbers) {
  for (const char* const serial :
       {"01", "80", "00ff", "ffffffffffffffffffffffffffffffffffffffff"}) {
    const CrlPtr crl = Parse(Make({Revoked(serial)}));
    ASSERT_NE(crl, nullptr) << serial;
    const ASN1_INTEGER* const number =
        X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), 0));
    const crypto::BnPtr value(ASN1_INTEGER_to_BN(number, nullptr));
    BIGNUM* expected = nullptr;
    BN_hex2bn(&expected, serial);
    const crypto::BnPtr owned(expected);
    EXPECT_EQ(BN_cmp(value.get(), expected), 0) << serial;
  }
}

TEST_F(CrlTest, WhatIsNoListIsRefused) {
  CrlFields fields = Fields();
  fields.next_update = fields.this_update;
  EXPECT_THAT(MakeCrl(fields, {}, *issuer_->signer), Refuses(Reason::kCa));
  RevokedCertificate certificate = Revoked(kSerial);
  certificate.serial.assign(21, 1);
  EXPECT_THAT(MakeCrl(Fields(), {&certificate, 1}, *issuer_->signer), Refuses(Reason::kCa));
  certificate.serial.clear();
  EXPECT_THAT(MakeCrl(Fields(), {&certificate, 1}, *issuer_->signer), Refuses(Reason::kCa));
}

TEST_F(CrlTest, PemIsTheSameList) {
  const Bytes der = Make({Revoked(kSerial)});
  const std::string pem = CrlToPem(der);
  EXPECT_THAT(pem, StartsWith("-----BEGIN X509 CRL-----\n"));
  const crypto::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const CrlPtr crl(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_cmp(crl.get(), Parse(der).get()), 0);
}

TEST(RevocationReason, NamesLeadBack) {
  for (const RevocationReason reason :
       {RevocationReason::kUnspecified, RevocationReason::kKeyCompromise,
        RevocationReason::kCaCompromise, RevocationReason::kAffiliationChanged,
        RevocationReason::kSuperseded, RevocationReason::kCessationOfOperation,
        RevocationReason::kPrivilegeWithdrawn}) {
    EXPECT_EQ(RevocationReasonFromName(Name(reason)), reason);
  }
  EXPECT_EQ(RevocationReasonFromName("certificate-hold"), std::nullopt);
}

}  // namespace
}  // namespace bootgate::pki
