#include "common/ima/digests_at.h"

#include <algorithm>

namespace bootgate::ima {

void DigestsAt::Add(size_t offset, ByteView record, const crypto::Digest& template_digest) {
  if (template_digest.alg() != kAlg || offset > UINT32_MAX || record.size() > UINT32_MAX) return;
  const Format format = Format::Of(record);
  if (rows_.empty()) format_ = format;
  if (format != format_) return;
  Row& row = rows_.emplace_back();
  row.offset = static_cast<uint32_t>(offset);
  row.size = static_cast<uint32_t>(record.size());
  std::ranges::copy(template_digest.view(), row.digest.begin());
}

DigestsAt::Walk::Walk(const DigestsAt* digests, const Format& list)
    : all_(digests),
      rows_(digests != nullptr && digests->format_ == list ? digests->rows_.size() : 0) {}

}  // namespace bootgate::ima
