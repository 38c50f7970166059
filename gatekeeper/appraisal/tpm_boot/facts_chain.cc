// What was started, as the log tells it (fact_reader.h).
#include <string>

#include "common/base/hex.h"
#include "common/eventlog/decode/boot_chain.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"
#include "gatekeeper/appraisal/tpm_boot/fact_reader.h"
#include "gatekeeper/appraisal/tpm_boot/kernel_options.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using eventlog::BootPart;
using eventlog::BootRole;
using eventlog::Event;

constexpr uint32_t kLoaderRegister = 4;
constexpr uint32_t kGrubRegister = 8, kStubRegister = 12;
constexpr uint32_t kLineRegisters = 1u << kGrubRegister | 1u << kStubRegister;
constexpr size_t kSeparatorBytes = 4;
constexpr size_t kMaxNoteBytes = 128;  // no program is that short
constexpr size_t kMaxParts = 256;      // of each kind; what follows is not listed

class ChainReader {
 public:
  ChainReader(const FactReader& reader, BootFacts* out) : reader_(reader), out_(*out) {}

  void Run() {
    for (const Event& event : reader_.log().events()) {
      if (!event.Extends()) continue;
      const auto part = eventlog::DecodeBootPart(event);
      doubtful_ |= IsOfLines(event) && !IsUnderstood(event, part);
      if (MayBeLoader(event)) {
        Add(event, ImageOf(event), &out_.loaders);
      } else if (event.untrusted_type == eventlog::kEvEfiBootServicesApplication) {
        continue;  // in another register than PCR 4
      } else if (part) {
        ReadPart(event, *part);
      }
    }
    for (const auto& line : out_.command_lines) ReadOptions(line);
    if (doubtful_) WithdrawLines();
  }

 private:
  // PCR 4 holds what was started. A program under another type is still one, unless the event is a
  // note: short, and covered by its digest.
  bool MayBeLoader(const Event& event) const {
    if (event.register_index != kLoaderRegister) return false;
    return event.untrusted_type == eventlog::kEvEfiBootServicesApplication ||
           !reader_.IsCovered(event) || event.data.size() > kMaxNoteBytes;
  }

  static bool IsOfLines(const Event& event) { return Has(kLineRegisters, event.register_index); }

  // Whether the event surely is no command line that wants to pass for something else: neither its
  // type nor the label before GRUB's text is covered by the digest.
  bool IsUnderstood(const Event& event, const std::optional<BootPart>& part) const {
    if (!reader_.IsProven(event) || !reader_.IsCovered(event)) return false;
    if (event.untrusted_type == eventlog::kEvSeparator) return event.data.size() <= kSeparatorBytes;
    if (event.untrusted_type != eventlog::kEvIpl || !part) return false;
    if (part->role == BootRole::kCommandLine) return true;
    return event.register_index == kGrubRegister && IsGrubCommand(*part);
  }

  // A command line of GRUB's begins with the kernel's path; one in UTF-16 holds zeros.
  static bool IsGrubCommand(const BootPart& part) {
    if (part.role != BootRole::kCommand && part.role != BootRole::kModule) return false;
    return part.text.find('\0') == std::string::npos &&
           (part.text.empty() || (part.text[0] != '/' && part.text[0] != '('));
  }

  void WithdrawLines() const {
    for (auto& line : out_.command_lines) line.verified = false;
    for (auto& option : out_.kernel_options) option.verified = false;
  }

  std::string DigestOf(const Event& event) const {
    const auto digest = reader_.log().DigestOf(event, reader_.bank());
    return digest ? ToHex(*digest) : "";
  }

  Image ImageOf(const Event& event) const {
    Image image;
    image.digest = DigestOf(event);
    if (const auto load = eventlog::DecodeImageLoad(event.data)) {
      image.path = Printable(load->file_path.empty() ? load->location : load->file_path);
      image.size = load->size;
    }
    return image;
  }

  void Add(const Event& event, Image image, std::vector<Fact<Image>>* out) const {
    if (out->size() >= kMaxParts) return;
    const bool verified = reader_.IsProven(event) && !image.digest.empty();
    out->push_back(FactReader::Make(event, std::move(image), verified));
  }

  void ReadPart(const Event& event, const BootPart& part) {
    switch (part.role) {
      case BootRole::kKernel:
        return Add(event, {DigestOf(event), Printable(part.text), 0}, &out_.kernels);
      case BootRole::kInitrd:
        return Add(event, {DigestOf(event), Printable(part.text), 0}, &out_.initrds);
      case BootRole::kCommandLine:
        return AddLine(event, part.text);
      default:
        return;
    }
  }

  // What is not listed may be what speaks against the host.
  bool HasRoom(size_t parts) {
    doubtful_ |= parts >= kMaxParts;
    return parts < kMaxParts;
  }

  void AddLine(const Event& event, const std::string& text) {
    if (text.empty() || !HasRoom(out_.command_lines.size())) return;
    auto& line = out_.command_lines.emplace_back(reader_.FromData(event, text));
    line.verified = line.verified && IsOfLines(event);
  }

  void ReadOptions(const Fact<std::string>& line) {
    for (KernelOption& option : FindKernelOptions(line.value)) {
      if (!HasRoom(out_.kernel_options.size())) return;
      out_.kernel_options.push_back(
          {std::move(option), line.verified, line.event, line.register_index});
    }
  }

  const FactReader& reader_;
  BootFacts& out_;
  bool doubtful_ = false;  // a command line may be hidden somewhere
};

}  // namespace

void ReadChainFacts(const FactReader& reader, BootFacts* out) { ChainReader(reader, out).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
