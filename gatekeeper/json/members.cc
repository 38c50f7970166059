#include "gatekeeper/json/members.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bootgate::gatekeeper::json {
namespace {

constexpr size_t kFewMembers =
    48;  // up to here names are compared pairwise where they may be alike

// A small number that equal names share.
size_t NameMark(absl::string_view name) {
  if (name.empty()) return 0;
  const size_t first = static_cast<uint8_t>(name.front());
  const size_t last = static_cast<uint8_t>(name.back());
  const size_t middle = static_cast<uint8_t>(name[name.size() / 2]);
  return (name.size() * 7 + first + last * 5 + middle * 3) % 64;
}

// Each name once: the last value at the place of the first. Returns how many are left.
size_t KeepLastOfFew(absl::Span<Member> members) {
  uint64_t seen = 0;
  size_t kept = 0;
  for (const Member& member : members) {
    const uint64_t mark = uint64_t{1} << NameMark(member.name);
    const auto end = members.begin() + static_cast<ptrdiff_t>(kept);
    const auto same = (seen & mark) == 0
                          ? end
                          : std::find_if(members.begin(), end, [&member](const Member& other) {
                              return other.name == member.name;
                            });
    seen |= mark;
    if (same == end) {
      members[kept++] = member;
    } else {
      same->value = member.value;
    }
  }
  return kept;
}

size_t KeepLastOfMany(absl::Span<Member> members) {
  std::vector<uint32_t> order(members.size());
  for (uint32_t at = 0; at < order.size(); ++at) order[at] = at;
  std::sort(order.begin(), order.end(), [&members](uint32_t a, uint32_t b) {
    const int sign = members[a].name.compare(members[b].name);
    return sign != 0 ? sign < 0 : a < b;
  });
  std::vector<bool> drop(members.size());
  uint32_t first = order[0];
  for (size_t at = 1; at < order.size(); ++at) {
    if (members[order[at]].name == members[first].name) {
      members[first].value = members[order[at]].value;
      drop[order[at]] = true;
    } else {
      first = order[at];
    }
  }
  size_t kept = 0;
  for (size_t at = 0; at < members.size(); ++at) {
    if (!drop[at]) members[kept++] = members[at];
  }
  return kept;
}

}  // namespace

size_t KeepLastOfEach(absl::Span<Member> members) {
  return members.size() <= kFewMembers ? KeepLastOfFew(members) : KeepLastOfMany(members);
}

}  // namespace bootgate::gatekeeper::json
