#include "gatekeeper/session/entry_book.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/bytes/writer.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::session {
namespace {

// An entry of the template "ima"; 0 as `listed` makes a violation of it.
Bytes Entry(const std::string& path, uint8_t listed = 7) {
  bytes::Writer out;
  out.U32Le(10).Raw(Bytes(20, listed)).U32Le(3).Raw(AsBytes("ima"));
  out.Raw(Bytes(20, 8)).U32Le(static_cast<uint32_t>(path.size())).Raw(AsBytes(path));
  return out.Finish();
}

Bytes NameOf(const Bytes& entry) { return ToBytes(ima::RecordName(entry).view()); }

Bytes Joined(const Bytes& a, const Bytes& b) {
  Bytes out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

struct Found {
  Bytes record, template_digest;  // empty: not there
};

Found Find(const EntryBook& book, const Bytes& name) {
  Found found;
  const absl::Status status = book.Read(name, [&](ByteView record, ByteView digest) {
    found = {ToBytes(record), ToBytes(digest)};
    return absl::OkStatus();
  });
  EXPECT_EQ(status.ok(), !found.record.empty()) << status;
  return found;
}

Bytes RecordOf(const EntryBook& book, const Bytes& name) { return Find(book, name).record; }

TEST(EntryBook, GivesTheBytesOfWhatWasProven) {
  EntryBook book(1 << 20);
  const Bytes one = Entry("/one"), two = Entry("/two"), tail = Entry("/tail");
  book.Learn(Joined(Joined(one, two), tail), 2);
  EXPECT_EQ(RecordOf(book, NameOf(one)), one);
  EXPECT_EQ(RecordOf(book, NameOf(two)), two);
  EXPECT_EQ(RecordOf(book, NameOf(tail)), Bytes());
  EXPECT_EQ(book.Known(Joined(Joined(NameOf(one), NameOf(tail)), NameOf(two))), Bytes{0b101});
}

TEST(EntryBook, ReadsManyInOrderUpToTheFirstThatIsNotKnown) {
  EntryBook book(1 << 20);
  Bytes list, names;
  for (int i = 0; i < 100; ++i) {
    const Bytes entry = Entry(absl::StrCat("/usr/bin/", i));
    list = Joined(list, entry);
    names = Joined(names, NameOf(entry));
  }
  book.Learn(list, 100);
  Bytes read;
  const auto append = [&](ByteView record, ByteView) {
    read.insert(read.end(), record.begin(), record.end());
    return absl::OkStatus();
  };
  EXPECT_TRUE(book.Read(names, append).ok());
  EXPECT_EQ(read, list);
  read.clear();
  const Bytes unknown = NameOf(Entry("/unknown"));
  EXPECT_TRUE(absl::IsNotFound(book.Read(Joined(unknown, names), append)));
  EXPECT_TRUE(read.empty());
  EXPECT_TRUE(absl::IsAborted(
      book.Read(names, [](ByteView, ByteView) { return absl::AbortedError("enough"); })));
}

// The digest that a host lists, whatever it is, has no say in the one that is kept.
TEST(EntryBook, DigestIsComputedHereWhateverTheHostLists) {
  EntryBook book(1 << 20);
  for (const uint8_t listed : {uint8_t{7}, uint8_t{9}}) {
    const Bytes entry = Entry("/usr/bin/env", listed);
    book.Learn(entry, 1);
    const Found found = Find(book, NameOf(entry));
    ASSERT_FALSE(found.record.empty());
    // As the kernel hashes the oldest template: the name filled up to 256 bytes.
    Bytes hashed(20, 8);
    hashed.insert(hashed.end(), found.record.end() - 12, found.record.end());
    hashed.resize(20 + 256, 0);
    EXPECT_EQ(found.template_digest,
              ToBytes(crypto::Hash(crypto::HashAlg::kSha256, hashed).view()));
  }
}

TEST(EntryBook, MoreProvenThanThereAre) {
  EntryBook book(1 << 20);
  book.Learn(Entry("/one"), ~uint64_t{0});
  EXPECT_EQ(book.size(), 1u);
  book.Learn({}, 5);
  book.Learn(Bytes(100, 0xff), 5);
  EXPECT_EQ(book.size(), 1u);
}

TEST(EntryBook, NinthNameIsInTheSecondByte) {
  EntryBook book(1 << 20);
  const Bytes one = Entry("/one");
  book.Learn(one, 1);
  EXPECT_EQ(book.Known(Joined(Bytes(8 * 32, 1), NameOf(one))), (Bytes{0, 1}));
  EXPECT_EQ(book.Known({}), Bytes());
}

TEST(EntryBook, ViolationsAndLongRecordsAreNotKept) {
  EntryBook book(1 << 20);
  book.Learn(Entry("/violated", 0), 1);
  book.Learn(Entry(std::string(ima::kMaxKnownRecord, 'x')), 1);
  EXPECT_EQ(book.size(), 0u);
}

TEST(EntryBook, SizeZeroKeepsNothing) {
  EntryBook book(0);
  const Bytes one = Entry("/one");
  book.Learn(one, 1);
  EXPECT_EQ(book.size(), 0u);
  EXPECT_EQ(book.Known(NameOf(one)), Bytes{0});
}

TEST(EntryBook, OldestGoWhatIsMetAgainStays) {
  constexpr size_t kBytes = 64 * 1024;
  EntryBook book(kBytes);
  const Bytes forgotten = Entry("/forgotten"), kept = Entry("/kept");
  book.Learn(forgotten, 1);
  for (int i = 0; i < 5000; ++i) {
    book.Learn(kept, 1);
    book.Learn(Entry(absl::StrCat("/usr/bin/", i)), 1);
    ASSERT_LE(book.size() * kept.size(), kBytes) << i;
  }
  EXPECT_EQ(RecordOf(book, NameOf(forgotten)), Bytes());
  EXPECT_EQ(RecordOf(book, NameOf(kept)), kept);
  EXPECT_FALSE(RecordOf(book, NameOf(Entry("/usr/bin/4999"))).empty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::session
