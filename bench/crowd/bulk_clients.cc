#include "crowd/bulk_clients.h"

#include <algorithm>

#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kInterval = 50ms;

}  // namespace

BulkClients::BulkClients(loop::Loop& loop, const CrowdOptions& options)
    : loop_(loop), options_(options), timer_(loop, [this] { look_after(); }) {
  for (std::size_t i = 0; i < options.downloads; ++i) {
    places_.push_back({BulkRequest::Direction::download, nullptr});
  }
  for (std::size_t i = 0; i < options.uploads; ++i) {
    places_.push_back({BulkRequest::Direction::upload, nullptr});
  }
  timer_.start_every(kInterval);
}

void BulkClients::start() {
  look_after();
}

void BulkClients::finish() {
  finishing_ = true;
}

void BulkClients::transfer_ended(Transfer& transfer, const std::string& loss) {
  auto& place = places_[transfer.number()];
  auto& losses = losses_of(place);
  losses.opened += transfer.is_established() ? 1 : 0;
  losses.wrong_bytes += transfer.wrong_bytes();
  if (loss.empty()) {
    ++finished_transfers_;
  } else {
    losses.add(transfer.is_established(), loss);
  }
  bytes_ += transfer.bytes();
  place.transfer.reset();  // the timer begins another one
}

Losses& BulkClients::losses_of(const Place& place) {
  return place.direction == BulkRequest::Direction::download ? downloads_ : uploads_;
}

void BulkClients::begin(std::size_t number) {
  auto& place = places_[number];
  auto socket = start_connect(options_.bulk_target);
  if (!socket) {
    losses_of(place).add(false, error_text(socket.error().code));
    return;
  }
  const BulkRequest request{place.direction, ++begun_, options_.bulk_size, options_.bulk_rate};
  Transfer::Owner& owner = *this;
  place.transfer = std::make_unique<Transfer>(loop_, std::move(*socket), request, number, owner);
}

// Begins what can begin, and ends what does not move on.
void BulkClients::look_after() {
  const auto now = Clock::now();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto& place = places_[i];
    if (place.transfer != nullptr) {
      place.moved |= place.transfer->bytes() > 0;
      if (place.transfer->last_progress() + options_.timeout <= now) {
        transfer_ended(*place.transfer, "timed out");
      }
    } else if (!finishing_) {
      begin(i);
    }
  }
  ready_ = std::all_of(places_.begin(), places_.end(), [](const auto& each) { return each.moved; });
  finished_ = finishing_ && std::none_of(places_.begin(), places_.end(),
                                         [](const auto& each) { return each.transfer != nullptr; });
}

}  // namespace holdfast::bench
