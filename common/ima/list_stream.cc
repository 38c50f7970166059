#include "common/ima/list_stream.h"

namespace bootgate::ima {

bool ListStream::Add(ByteView piece, Each each) {
  DropRead();
  if (ended_) return false;
  pending_.insert(pending_.end(), piece.begin(), piece.end());
  if (!walk_.has_value()) {
    if (pending_.size() < kFormatBytes) return true;
    walk_.emplace(Format::Of(pending_), limits_);
  }
  Walk(each);
  return !ended_;
}

void ListStream::Finish(Each each) {
  DropRead();
  if (ended_) return;
  if (!walk_.has_value()) walk_.emplace(Format::Of(pending_), limits_);
  Walk(each);
  if (!ended_ && read_ < pending_.size()) walk_->NoteCut(offset_ + read_);
  ended_ = true;
}

void ListStream::Walk(Each each) {
  bytes::Reader in(pending_, offset_);
  while (!in.empty() && !ended_) {
    Entry entry;
    const ListWalk::Step step = walk_->Next(in, entry);
    if (step == ListWalk::Step::kCut) break;
    ended_ = step == ListWalk::Step::kEnd;
    if (!ended_ && in.offset() > limits_.list_bytes) {
      walk_->NoteListBytes(entry.offset, in.offset());
      ended_ = true;
    }
    if (!ended_) each(entry);
    read_ = in.offset() - offset_;
  }
}

void ListStream::DropRead() {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(read_));
  offset_ += read_;
  read_ = 0;
}

const std::vector<Defect>& ListStream::defects() const {
  static const std::vector<Defect> kNone;
  return walk_.has_value() ? walk_->defects() : kNone;
}

}  // namespace bootgate::ima
