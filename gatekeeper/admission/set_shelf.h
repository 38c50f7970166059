// The reference sets that this gatekeeper holds: files DIR/<id>.imaset, each opened and mapped once
// and then shared by all hosts. Any thread.
//
// A set's id is the SHA-256 of its file, so what was opened is never stale. A set that is not there
// is looked for each time it is asked for: whoever puts it there (`reference ima push`) needs to
// restart nothing.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::admission {

using SetPtr = std::shared_ptr<const reference::ImaSet>;

// The path of a set's file; `id` is hex SHA-256.
std::string SetFile(const std::string& folder, const std::string& id);

class SetShelf {
 public:
  explicit SetShelf(std::string folder) : folder_(std::move(folder)) {}

  // Those of `ids` that are there, whole and of that id. The others are left out: who judges says
  // so (IMA_SET_MISSING).
  std::vector<SetPtr> Find(const std::vector<std::string>& ids);

 private:
  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, SetPtr> open_;
};

// Puts a set where Find finds it: whole or not at all, readable to the gatekeeper alone. Gives the
// file's path.
absl::StatusOr<std::string> StoreSet(const std::string& folder, const reference::ImaSet& set);

}  // namespace bootgate::gatekeeper::admission
