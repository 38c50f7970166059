// Set files that no writer of ours made: refused with the place, or answered without leaving the
// file.
#include <random>

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/layout.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::Deb;
using testing::DigestOf;
using ::testing::HasSubstr;
using testing::Item;
using testing::Packaged;
using testing::Refuses;

// Two folders, three paths, a package, a rule.
Bytes SmallFile() {
  SetDraft draft;
  draft.name = "small";
  draft.items = {Packaged("/usr/bin/a", "1", Deb("p", "1")), Item("/usr/bin/b", "2"),
                 Item("/etc/c", "3", {10, 20})};
  draft.rules.excludes = {"^/tmp/"};
  return *WriteSet(draft);
}

void Put32(Bytes* file, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) (*file)[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

layout::Sections Parts(const Bytes& file) { return *layout::CheckFile(file); }

size_t Place(const Bytes& file, ByteView part) {
  return static_cast<size_t>(part.data() - file.data());
}

TEST(HostileSet, EveryCutIsRefused) {
  const Bytes file = SmallFile();
  for (size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_THAT(ImaSet::FromBytes(cut), Refuses(Reason::kReferenceParse)) << size;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_THAT(ImaSet::FromBytes(longer), Refuses(Reason::kReferenceParse));
}

// Whatever a changed byte makes of it, it is refused or answers.
TEST(HostileSet, EveryChangedByteIsHarmless) {
  const Bytes file = SmallFile();
  const Bytes digest = DigestOf("1");
  for (size_t at = 0; at < file.size(); ++at) {
    for (const uint8_t flip : {uint8_t{0x01}, uint8_t{0x80}, uint8_t{0xff}}) {
      Bytes changed = file;
      changed[at] ^= flip;
      const auto set = ImaSet::FromBytes(changed);
      if (!set.ok()) {
        ASSERT_THAT(set, Refuses(Reason::kReferenceParse));
        continue;
      }
      const SetQuery query = {.path = "/usr/bin/a", .digest = digest};
      (*set)->TermsOf((*set)->Find(query, absl::FromUnixSeconds(15)));
      (*set)->TermsOf((*set)->FindDigest(query, absl::FromUnixSeconds(15)));
      (void)WriteSet((*set)->ToDraft());
    }
  }
}

struct Lie {
  const char* name;
  void (*tell)(Bytes* file, const layout::Sections& parts);
  const char* says;
};
void PrintTo(const Lie& row, std::ostream* os) { *os << row.name; }

// Offsets of the header's numbers.
constexpr size_t kVersionAt = 8, kGroupsAt = 12, kItemsAt = 16, kTermsAt = 24, kNameAt = 48;

const Lie kLies[] = {
    {"Magic", [](Bytes* f, const layout::Sections&) { (*f)[0] = 'X'; }, "does not begin with"},
    {"Version", [](Bytes* f, const layout::Sections&) { Put32(f, kVersionAt, 2); }, "version 2"},
    {"HugeCounts",
     [](Bytes* f, const layout::Sections&) {
       Put32(f, kGroupsAt, UINT32_MAX);
       Put32(f, kItemsAt, UINT32_MAX);
     },
     "4294967295 digests"},
    {"MorePathsThanDigests", [](Bytes* f, const layout::Sections&) { Put32(f, kGroupsAt, 4); },
     "digests of 4 paths"},
    {"HugeTerms", [](Bytes* f, const layout::Sections&) { Put32(f, kTermsAt, 1u << 30); }, "terms"},
    {"NameOutside", [](Bytes* f, const layout::Sections&) { Put32(f, kNameAt, 1u << 30); },
     "text of the header"},
    {"PackageTextOutside",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.packages), UINT32_MAX); },
     "text of package 0"},
    {"RuleKind", [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.rules), 9); },
     "rule 0 is of kind 9"},
    {"TermsPackage",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.terms) + 16, 7); },
     "package that is not there"},
    {"TermsNegative",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.terms) + 4, 1u << 31); },
     "end before they begin"},
    {"FolderOutside",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.groups), 1u << 30); },
     "not in order"},
    {"NameLongerThanFile",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.groups) + 4, 0x1ffff); },
     "is cut"},
    {"NoVariants",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.groups) + 4, 1); },
     "has no digest"},
    {"UnknownAlgorithm",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.groups) + 9, 31u << 3 | 1); },
     "no known algorithm"},
    {"UnknownKind",
     [](Bytes* f, const layout::Sections& p) { Put32(f, Place(*f, p.groups) + 9, 4u << 3); },
     "of kind 0"},
    {"TermsOutside",
     [](Bytes* f, const layout::Sections& p) {
       Put32(f, Place(*f, p.groups) + 9, 99u << 8 | 4u << 3 | 1);
     },
     "names no terms"},
    {"SlotIntoTheMiddle",
     [](Bytes* f, const layout::Sections& p) {
       for (size_t i = 0; i < p.path_slot_count; ++i) {
         const size_t at = Place(*f, p.path_slots) + i * layout::kPathSlotBytes + 4;
         if (layout::Le32(*f, at) != 0) Put32(f, at, 3);
       }
     },
     "names no beginning"},
    {"SlotTableFull",
     [](Bytes* f, const layout::Sections& p) {
       for (size_t i = 0; i < p.digest_slot_count; ++i) {
         Put32(f, Place(*f, p.digest_slots) + i * layout::kDigestSlotBytes, 1 + 9);
       }
     },
     "in a row"},
    {"SlotTableEmpty",
     [](Bytes* f, const layout::Sections& p) {
       for (size_t i = 0; i < p.path_slots.size(); ++i) (*f)[Place(*f, p.path_slots) + i] = 0;
     },
     "0 are taken, announced are 3"},
};

class HostileSetTest : public ::testing::TestWithParam<Lie> {};
TEST_P(HostileSetTest, IsRefusedWithThePlace) {
  Bytes file = SmallFile();
  const layout::Sections parts = Parts(file);
  GetParam().tell(&file, parts);
  const auto set = ImaSet::FromBytes(file);
  EXPECT_THAT(set, Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(set.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(Lies, HostileSetTest, ::testing::ValuesIn(kLies),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::gatekeeper::reference
