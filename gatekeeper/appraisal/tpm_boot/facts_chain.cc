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
constexpr size_t kMaxParts = 256;  // of each kind; what follows is not listed

class ChainReader {
 public:
  ChainReader(const FactReader& reader, BootFacts* out) : reader_(reader), out_(*out) {}

  void Run() {
    for (const Event& event : reader_.log().events()) {
      if (!event.Extends()) continue;
      const auto part = eventlog::DecodeBootPart(event);
      if (IsDoubtful(event, part)) doubtful_ |= 1u << (event.register_index % 32);
      if (event.untrusted_type == eventlog::kEvEfiBootServicesApplication) {
        if (event.register_index == kLoaderRegister) Add(event, ImageOf(event), &out_.loaders);
      } else if (part) {
        ReadPart(event, *part);
      }
    }
    for (auto& fact : out_.command_lines) {
      fact.verified = fact.verified && !Has(doubtful_, fact.register_index);
      ReadOptions(fact);
    }
  }

 private:
  // GRUB's digests cover the text, not the label before it: a command line that is presented as a
  // command or a module's line still begins with the kernel's path.
  bool IsDoubtful(const Event& event, const std::optional<BootPart>& part) const {
    if (!reader_.IsCovered(event)) return true;
    return part && (part->role == BootRole::kCommand || part->role == BootRole::kModule) &&
           !part->text.empty() && (part->text[0] == '/' || part->text[0] == '(');
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
        if (!part.text.empty() && out_.command_lines.size() < kMaxParts)
          out_.command_lines.push_back(reader_.FromData(event, part.text));
        return;
      default:
        return;
    }
  }

  void ReadOptions(const Fact<std::string>& line) {
    for (KernelOption& option : FindKernelOptions(line.value)) {
      if (out_.kernel_options.size() >= kMaxParts) return;
      out_.kernel_options.push_back(
          {std::move(option), line.verified, line.event, line.register_index});
    }
  }

  const FactReader& reader_;
  BootFacts& out_;
  uint32_t doubtful_ = 0;  // registers with an event whose data nothing covers
};

}  // namespace

void ReadChainFacts(const FactReader& reader, BootFacts* out) { ChainReader(reader, out).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
