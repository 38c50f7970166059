// Test only: a file that somebody signed, the signer's certificate, and entries of such files.
#pragma once

#include "common/base/hex.h"
#include "common/ima/list_builder.h"

namespace bootgate::gatekeeper::reference::testing {

// Self-signed, P-256; made once with openssl req.
inline constexpr char kSignerHex[] =
    "308201853082012aa0030201020214080478122e4d45a382d1aa64453863f380d76413300a06082a8648ce3d040302"
    "3019"
    "3117301506035504030c0e5061636b616765207369676e6572301e170d3236313132323136333731385a170d333631"
    "31"
    "31393136333731385a30193117301506035504030c0e5061636b616765207369676e65723059301306072a8648ce3d"
    "02"
    "0106082a8648ce3d030107034200041ba8c985ba40aed67577d6471f6eb77e3645bed29dc3e22ce6b065b847c06dad"
    "e4"
    "20a6f24698a00edfd134e2e6343cec01d5929799ab40db56e83529448f9291a350304e301d0603551d0e041604149"
    "2b779dfea95ab99391d3f1124be96be669a045a301f0603551d2304183016801492b779dfea95ab99391d3f1124be9"
    "6be"
    "669a045a300c0603551d130101ff04023000300a06082a8648ce3d0403020349003046022100f14eb20f379b4c9780"
    "68"
    "142dd5db9c180733072a03e37966af5ebd1820ab8161022100d5773484363736d910b67a20d83f8408d5e6dff4ca8b"
    "59"
    "23629c13e97bdb2b16";
inline constexpr char kSignerId[] =  // SHA-256 of the certificate
    "b53c614328c6832ed4cf7bf267fd0c0009eb719ce06a32650e1ec8aebc1759de";

// ECDSA over the SHA-256 of "tool".
inline constexpr char kSignatureHex[] =
    "304502207d9b885f8274d394dea1983985980dc248f7491c2ac5250a4332b5897b0ba5b2022100ce249a9b4cd8846a"
    "99"
    "c9b946a6eea973001e26104afeeb2db5ecee0354ede66e";

inline Bytes SignerCertificate() { return FromHex(kSignerHex).value(); }

inline std::string SignerPem() {
  const std::string base64 = ToBase64(SignerCertificate());
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

// The "sig" field: version 2, SHA-256, by the key whose identifier ends with `key_id`.
inline Bytes SignatureField(ByteView signature, ByteView key_id) {
  bytes::Writer out;
  out.U8(3).U8(2).U8(4).Raw(key_id);
  out.U16Be(static_cast<uint16_t>(signature.size())).Raw(signature);
  return out.Finish();
}
inline Bytes ToolSignature() {
  return SignatureField(FromHex(kSignatureHex).value(), FromHex("669a045a").value());
}

inline Bytes SigData(absl::string_view path, absl::string_view content, ByteView signature) {
  bytes::Writer out;
  bootgate::testing::AddField(out,
                              bootgate::testing::DigestField(crypto::HashAlg::kSha256, content));
  bootgate::testing::AddField(out, bootgate::testing::PathField(path));
  bootgate::testing::AddField(out, signature);
  return out.Finish();
}

// A record of the kernel, under its own hash.
inline Bytes BufferData(absl::string_view name, ByteView buffer) {
  return SigData(name, AsText(buffer), buffer);
}

}  // namespace bootgate::gatekeeper::reference::testing
