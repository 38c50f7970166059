#include "common/ima/list_stream.h"

#include "common/ima/list_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using testing::ListBuilder;

// What a reader sees of a list, in words.
struct Seen {
  std::vector<std::string> entries;
  std::vector<std::string> defects;
  friend bool operator==(const Seen&, const Seen&) = default;
};

void Note(const Entry& entry, Seen& seen) {
  seen.entries.push_back(std::string(AsText(entry.bytes)) + std::string(entry.path) +
                         std::to_string(entry.number) + "@" + std::to_string(entry.offset));
}

Seen Whole(ByteView bytes, const Limits& limits = {}) {
  const List list = List::Parse(bytes, limits);
  Seen seen;
  for (const Entry& entry : list.entries()) Note(entry, seen);
  for (const Defect& defect : list.defects()) seen.defects.push_back(defect.text);
  return seen;
}

Seen InPieces(ByteView bytes, size_t piece, const Limits& limits = {}) {
  ListStream stream(limits);
  Seen seen;
  const auto note = [&](const Entry& entry) { Note(entry, seen); };
  while (!bytes.empty()) {
    const size_t size = std::min(piece, bytes.size());
    if (!stream.Add(bytes.first(size), note)) break;
    bytes = bytes.subspan(size);
  }
  stream.Finish(note);
  for (const Defect& defect : stream.defects()) seen.defects.push_back(defect.text);
  return seen;
}

TEST(ListStream, SeesWhatTheWholeListShows) {
  const Bytes bytes = testing::CorpusFile("ima/two-registers.bin");
  for (const size_t piece : {1u, 7u, 100u, 326u, 327u, 4096u}) {
    EXPECT_EQ(InPieces(bytes, piece), Whole(bytes)) << piece;
  }
}

TEST(ListStream, SeesACutAnywhere) {
  const Bytes bytes =
      ListBuilder(ByteOrder::kBig).Ng("/a", "1").Violation("/b").Ng("/c", "3").Finish();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const ByteView cut = ByteView(bytes).first(size);
    EXPECT_EQ(InPieces(cut, 5), Whole(cut)) << size;
  }
}

TEST(ListStream, EndsAtALimit) {
  const Bytes bytes = ListBuilder().Ng("/a", "1").Ng("/b", "2").Ng("/c", "3").Finish();
  const Limits limits{.entries = 2};
  EXPECT_EQ(InPieces(bytes, 50, limits), Whole(bytes, limits));
  EXPECT_THAT(InPieces(bytes, 50, limits).entries, ::testing::SizeIs(2));
  ListStream stream(Limits{.list_bytes = 100});
  stream.Add(bytes, [](const Entry&) {});
  stream.Finish([](const Entry&) {});
  ASSERT_THAT(stream.defects(), ::testing::SizeIs(1));
  EXPECT_EQ(stream.defects()[0].reason, Reason::kImaLimit);
}

TEST(Attack, A60_AnyNumberOfPiecesTakesTheMemoryOfOne) {
  constexpr size_t kEntries = 20'000;
  constexpr size_t kAtOnce = 100;
  ListBuilder builder;
  for (size_t i = 0; i < kAtOnce; ++i) builder.Ng("/usr/bin/something", "content");
  const Bytes piece = builder.Finish();
  ListStream stream;
  size_t seen = 0;
  for (size_t i = 0; i < kEntries / kAtOnce; ++i) {
    ASSERT_TRUE(stream.Add(piece, [&](const Entry&) { ++seen; }));
    ASSERT_LE(stream.memory_bytes(), 4 * piece.size());
  }
  stream.Finish([&](const Entry&) { ++seen; });
  EXPECT_EQ(seen, kEntries);
  EXPECT_THAT(stream.defects(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace bootgate::ima
