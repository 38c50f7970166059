// A folder for one test, gone with it. Its path is short enough for sockets.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace bootgate::desk {

class ScratchFolder {
 public:
  ScratchFolder() : ScratchFolder(std::filesystem::temp_directory_path().string()) {}
  explicit ScratchFolder(const std::string& in) {
    std::string place = in + "/bootgate-XXXXXX";
    if (mkdtemp(place.data()) == nullptr) abort();
    path_ = place;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace bootgate::desk
