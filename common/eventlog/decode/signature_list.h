// Secure Boot key databases: lists of certificates and hashes.
//
// Implements: UEFI 2.10, 32.4.1 (EFI_SIGNATURE_LIST, EFI_SIGNATURE_DATA, EFI_CERT_X509_SHA256 ...).
//
// All or nothing: one malformed list, and none of the entries is given. Reading allocates nothing:
// the entries are walked where they lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class SignatureKind {
  kX509,  // `value` is a certificate in DER
  kSha1,  // `value` is the Authenticode hash of an image
  kSha224,
  kSha256,
  kSha384,
  kSha512,
  kX509Sha256,  // `value` is the hash of a certificate's to-be-signed part, then `revoked_at`
  kX509Sha384,
  kX509Sha512,
  kRsa2048,  // `value` is a modulus
  kRsa2048Sha1,
  kRsa2048Sha256,
  kOther,  // a type GUID without a name: `type` says which
};
bool IsCertificate(SignatureKind kind);      // kX509, kX509Sha...
absl::string_view Name(SignatureKind kind);  // "x509", "sha256", "x509_sha256", "other"

// One entry. All views borrow the bytes that were read.
struct SignatureEntry {
  SignatureKind kind = SignatureKind::kOther;
  ByteView type;        // 16 bytes, the list's SignatureType; empty where there is no list
  ByteView owner;       // 16 bytes, SignatureOwner; empty where the event has none
  ByteView value;       // certificate, hash or modulus, without the time of revocation
  ByteView revoked_at;  // kX509Sha...: 16 bytes, an EFI_TIME (see EfiTimeText); else empty
};

class SignatureLists {
 public:
  // Reads as many lists as lie one after the other; no bytes at all are no lists.
  static SignatureLists Read(ByteView bytes);

  // Why nothing was read, in one line without host text; empty when all is well.
  const std::string& problem() const { return problem_; }
  bool ok() const { return problem_.empty(); }
  size_t size() const { return count_; }  // entries; 0 when there is a problem

  class Iterator {
   public:
    SignatureEntry operator*() const;
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.size() == b.rest_.size() && a.entry_ == b.entry_;
    }

   private:
    friend class SignatureLists;
    explicit Iterator(ByteView rest) : rest_(rest) {}
    void SkipEmptyLists();
    ByteView rest_;     // from the current list's header on; empty at the end
    size_t entry_ = 0;  // of the current list
  };
  Iterator begin() const;
  Iterator end() const { return Iterator({}); }

 private:
  ByteView bytes_;  // well formed
  size_t count_ = 0;
  std::string problem_;
};

// An EFI_SIGNATURE_DATA by itself, as authority events carry it: the owner, then a certificate or a
// SHA-256 hash. nullopt when it is neither.
std::optional<SignatureEntry> ReadSignatureData(ByteView bytes);

// Whether the bytes are one DER element of the form of a certificate, and nothing after it.
bool LooksLikeCertificate(ByteView bytes);

// An EFI_TIME as "2023-05-09T00:00:00Z"; "" when all is zero or the bytes are no time.
std::string EfiTimeText(ByteView efi_time);

}  // namespace bootgate::eventlog
