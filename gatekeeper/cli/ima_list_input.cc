#include "gatekeeper/cli/ima_list_input.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kPiece = size_t{64} << 10;  // bytes read at once
constexpr char kStandardInput[] = "-";
constexpr size_t kSha1Hex = 40;  // characters

constexpr char kWhereImaListsAre[] =
    "on a Linux host the list is /sys/kernel/security/ima/binary_runtime_measurements, readable by "
    "root";

// "10 <40 hexadecimal digits or more> ...", with a space before a register of one digit.
bool IsTextForm(absl::string_view list) {
  while (absl::ConsumePrefix(&list, " ")) continue;
  const size_t digits = std::min(list.find_first_not_of("0123456789"), list.size());
  if (digits == 0 || digits > 2) return false;
  list.remove_prefix(digits);
  return absl::ConsumePrefix(&list, " ") && list.size() >= kSha1Hex &&
         FromHex(list.substr(0, kSha1Hex)).ok();
}

// What is done with the entries.
struct Sink {
  ima::ListStream::Each each;
  absl::FunctionRef<void()> after_piece;
};

absl::Status ReadPieces(std::istream& in, ima::ListStream& list, const Sink& sink,
                        ImaReading& reading) {
  std::array<char, kPiece> piece;
  bool more = true;
  while (more && in.good()) {
    in.read(piece.data(), piece.size());
    const absl::string_view text(piece.data(), static_cast<size_t>(in.gcount()));
    if (reading.bytes == 0 && IsTextForm(text)) {
      reading.text_form = true;
      return absl::OkStatus();
    }
    reading.bytes += text.size();
    more = list.Add(AsBytes(text), sink.each);
    sink.after_piece();
  }
  if (in.bad()) return absl::UnavailableError(absl::StrCat(reading.name, " cannot be read"));
  list.Finish(sink.each);
  sink.after_piece();
  return absl::OkStatus();
}

absl::StatusOr<ImaReading> ReadFrom(std::istream& in, const std::string& name, const Sink& sink) {
  ImaReading reading;
  reading.name = name;
  ima::ListStream list;
  const auto counted = [&](const ima::Entry& entry) {
    reading.recognised += entry.template_kind != ima::Template::kOther ? 1 : 0;
    sink.each(entry);
  };
  const absl::Status read = ReadPieces(in, list, {counted, sink.after_piece}, reading);
  if (!read.ok()) return read;
  reading.entries = list.entries();
  reading.defects = list.defects();
  return reading;
}

}  // namespace

bool ImaReading::BreaksOff() const {
  return std::ranges::any_of(defects, [](const ima::Defect& defect) {
    return defect.reason == Reason::kImaTruncated || defect.reason == Reason::kImaLimit;
  });
}

absl::StatusOr<ImaReading> ReadImaList(const std::string& file, std::istream& in,
                                       ima::ListStream::Each each,
                                       absl::FunctionRef<void()> after_piece) {
  const Sink sink{each, after_piece};
  if (file == kStandardInput) return ReadFrom(in, "standard input", sink);
  const std::string name = Printable(file);
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is a folder; give the file in it"));
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream.is_open()) return absl::ErrnoToStatus(errno == 0 ? EIO : errno, name);
  return ReadFrom(stream, name, sink);
}

bool SayIfNoImaList(const ImaReading& reading, std::ostream& err) {
  const bool noise = reading.recognised == 0 && reading.BreaksOff();
  if (reading.entries > 0 && !noise) return false;
  if (reading.text_form) {
    err << "error: " << reading.name
        << " is the kernel's text form of a list, which file names can forge; give the binary "
           "one\n";
  } else if (reading.bytes == 0) {
    err << "error: " << reading.name << " is empty: the kernel measured nothing\n";
  } else {
    err << "error: " << reading.name << " is no IMA list in the kernel's binary form\n";
    if (!reading.defects.empty()) err << "       " << reading.defects.front().text << "\n";
  }
  err << "       " << kWhereImaListsAre << "\n";
  return true;
}

ExitCode FailImaInput(std::ostream& err, const absl::Status& status) {
  err << "error: " << Printable(status.message(), 1024) << "\n";
  if (absl::IsNotFound(status) || absl::IsPermissionDenied(status)) {
    err << "       " << kWhereImaListsAre << "\n";
  }
  return ExitCodeFor(status);
}

void SayDefects(const ImaReading& reading, std::ostream& err) {
  for (const ima::Defect& defect : reading.defects) {
    err << "warning: " << Code(defect.reason) << ": " << Printable(defect.text) << "\n";
  }
}

}  // namespace bootgate::gatekeeper::cli
