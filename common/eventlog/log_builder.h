// Makes boot logs for tests, record by record: also ones that no firmware writes.
#pragma once

#include <utility>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"
#include "common/eventlog/log.h"

namespace bootgate::testing {

using TpmDigest = std::pair<uint16_t, Bytes>;  // TPM_ALG_ID, value

inline Bytes Text(absl::string_view text) { return ToBytes(AsBytes(text)); }

inline Bytes Utf16(absl::string_view ascii) {
  bytes::Writer out;
  for (const char c : ascii) out.U16Le(static_cast<uint8_t>(c));
  return out.Finish();
}

// "Spec ID Event03" and its fixed fields, up to the number of banks.
inline bytes::Writer SpecIdHead() {
  bytes::Writer out;
  out.Raw(AsBytes(absl::string_view("Spec ID Event03\0", 16)));
  out.U32Le(0).U8(0).U8(2).U8(0).U8(2);
  return out;
}

class LogBuilder {
 public:
  // A crypto-agile log with these banks, its Spec ID event already in it. Header register 1 or
  // the vendor information "td-shim": of a confidential machine.
  static LogBuilder CryptoAgile(std::vector<crypto::HashAlg> banks, uint32_t header_register = 0,
                                absl::string_view vendor_info = "") {
    bytes::Writer spec = SpecIdHead();
    spec.U32Le(static_cast<uint32_t>(banks.size()));
    for (const crypto::HashAlg alg : banks) {
      spec.U16Le(static_cast<uint16_t>(alg));
      spec.U16Le(static_cast<uint16_t>(crypto::DigestSize(alg)));
    }
    spec.U8(static_cast<uint8_t>(vendor_info.size())).Raw(AsBytes(vendor_info));
    LogBuilder log;
    log.banks_ = std::move(banks);
    log.Legacy(header_register, eventlog::kEvNoAction, spec.view(),
               crypto::Digest(crypto::HashAlg::kSha1));
    return log;
  }

  // A record of the old form.
  LogBuilder& Legacy(uint32_t index, uint32_t type, ByteView data, const crypto::Digest& sha1) {
    out_.U32Le(index).U32Le(type).Raw(sha1.view());
    return Data(data);
  }

  // A record with a digest of `data` for each bank; zeros for EV_NO_ACTION.
  LogBuilder& Event(uint32_t index, uint32_t type, ByteView data) {
    std::vector<TpmDigest> digests;
    for (const crypto::HashAlg alg : banks_) {
      const crypto::Digest digest =
          type == eventlog::kEvNoAction ? crypto::Digest(alg) : crypto::Hash(alg, data);
      digests.emplace_back(static_cast<uint16_t>(alg), ToBytes(digest.view()));
    }
    return Event(index, type, data, digests);
  }

  LogBuilder& Event(uint32_t index, uint32_t type, ByteView data,
                    const std::vector<TpmDigest>& digests) {
    out_.U32Le(index).U32Le(type).U32Le(static_cast<uint32_t>(digests.size()));
    for (const auto& [alg, digest] : digests) out_.U16Le(alg).Raw(digest);
    return Data(data);
  }

  LogBuilder& Raw(ByteView bytes) {
    out_.Raw(bytes);
    return *this;
  }

  Bytes Finish() { return out_.Finish(); }

 private:
  LogBuilder& Data(ByteView data) {
    out_.U32Le(static_cast<uint32_t>(data.size())).Raw(data);
    return *this;
  }

  std::vector<crypto::HashAlg> banks_;
  bytes::Writer out_;
};

// The data of a UEFI variable event.
inline Bytes VariableData(ByteView guid, ByteView utf16_name, ByteView data) {
  bytes::Writer out;
  out.Raw(guid).U64Le(utf16_name.size() / 2).U64Le(data.size()).Raw(utf16_name).Raw(data);
  return out.Finish();
}

}  // namespace bootgate::testing
