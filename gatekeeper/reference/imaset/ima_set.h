// A reference set for IMA: which digests a path may have, from when, until when, from which
// package.
//
// Immutable and content-addressed: the id is the SHA-256 of the file. One set is mapped once and
// shared by all hosts; any thread may ask. Everything in the file is checked when it is opened,
// once and in a bounded way, so that a look-up checks nothing: a hundred thousand paths with one
// digest each take about 9 MB and a look-up three places in memory, whose waiting overlaps in
// FindAll. The file form: layout.h. Making and changing sets: draft.h, write.h, change.h.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/imaset/excludes.h"
#include "gatekeeper/reference/imaset/file_bytes.h"

namespace bootgate::gatekeeper::reference {

namespace layout {
struct Sections;
}

inline constexpr size_t kMaxSetBytes = size_t{1} << 30;
inline constexpr size_t kMaxSetItems = size_t{16} << 20;
inline constexpr size_t kMaxSetPath = 4096;  // bytes, the kernel's PATH_MAX

// From the worst to the best.
//   kUnlisted     the path is not in the set (by digest alone: the digest is not)
//   kOtherDigest  the path is, but not with this digest
//   kNotYetValid  path and digest are, and their time has not come
//   kOutdated     path and digest are, and their time has passed: outdated_package
//   kListed       path and digest are good now
enum class SetAnswer : uint8_t { kUnlisted, kOtherDigest, kNotYetValid, kOutdated, kListed };
absl::string_view NameOf(SetAnswer answer);  // "unlisted", "other_digest", ..., "outdated_package"

// Which kinds a look-up takes into account.
enum class SetKinds : uint8_t {
  kFiles = 1u << static_cast<unsigned>(DigestKind::kFile),
  kFsVerity = 1u << static_cast<unsigned>(DigestKind::kFsVerity),
  kBuffers = 1u << static_cast<unsigned>(DigestKind::kBuffer) |
             1u << static_cast<unsigned>(DigestKind::kKeyring),
};

// One question. Borrows path and digest.
struct SetQuery {
  absl::string_view path;
  ByteView digest;  // of another length than the algorithm's: is in no set
  DigestAlg alg = DigestAlg::kSha256;
  SetKinds kinds = SetKinds::kFiles;
};

struct SetFound {
  static constexpr uint32_t kNoTerms = UINT32_MAX;
  SetAnswer answer = SetAnswer::kUnlisted;
  uint32_t terms = kNoTerms;  // which window and package decided (TermsOf); none when unlisted

  friend bool operator==(const SetFound&, const SetFound&) = default;
};

struct PackageView {  // borrows the set
  absl::string_view name, version, origin;
};

// Of a listed, outdated or not yet valid digest its own; of another digest those of the path's
// first digest.
struct SetTerms {
  Window window;
  std::optional<PackageView> package;
  std::optional<PackageView> replaced_by;
};

// One digest of a path; borrows the set.
struct SetVariant {
  DigestKind kind;
  DigestAlg alg;
  ByteView digest;
  SetTerms terms;
};

struct SetCounts {
  size_t paths = 0, items = 0, packages = 0, terms = 0;
};

class ImaSet {
 public:
  // Maps the file read-only. Nobody may write into a set's file in place: like every writer of this
  // product, a new content takes a new file. Errors name the path; REFERENCE_PARSE, with the place,
  // where the file is none of ours.
  static absl::StatusOr<std::shared_ptr<const ImaSet>> Open(const std::string& path);
  static absl::StatusOr<std::shared_ptr<const ImaSet>> FromBytes(Bytes bytes);

  ~ImaSet();
  ImaSet(const ImaSet&) = delete;
  ImaSet& operator=(const ImaSet&) = delete;

  const std::string& id() const { return id_; }  // hex SHA-256 of the file
  ByteView file() const { return bytes_.view(); }
  SetCounts counts() const;
  absl::string_view name() const;
  absl::string_view origin() const;
  absl::string_view created() const;
  SetRules rules() const;
  // The excludes of rules(), compiled when they are first asked for, once for all hosts.
  // kInvalidArgument names the pattern that is none: then none of them counts.
  absl::StatusOr<const Excludes*> CompiledExcludes() const;

  SetFound Find(const SetQuery& query, absl::Time at) const;
  // By the digest alone, whatever the path: kListed, kOutdated, kNotYetValid or kUnlisted.
  SetFound FindDigest(const SetQuery& query, absl::Time at) const;
  // One answer for each query, in order. `out` is as long as `queries`.
  void FindAll(std::span<const SetQuery> queries, absl::Time at, std::span<SetFound> out) const;

  SetTerms TermsOf(const SetFound& found) const;  // empty for kNoTerms
  Window WindowOf(const SetFound& found) const;   // of these terms; open for kNoTerms
  // All digests of a path, for messages; empty when the path is not listed.
  std::vector<SetVariant> VariantsOf(absl::string_view path) const;
  std::vector<PackageView> Packages() const;

  // Everything in the set, to change it.
  SetDraft ToDraft() const;

 private:
  ImaSet(FileBytes bytes, const layout::Sections& sections);
  static absl::StatusOr<std::shared_ptr<const ImaSet>> Make(FileBytes bytes);

  FileBytes bytes_;
  const std::unique_ptr<const layout::Sections> sections_;
  const std::string id_;
  mutable std::once_flag compiled_;
  mutable Excludes excludes_;
  mutable absl::Status excludes_status_;
};

}  // namespace bootgate::gatekeeper::reference
