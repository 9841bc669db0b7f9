#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "crowd/losses.h"
#include "crowd/options.h"
#include "crowd/transfer.h"
#include "holdfast/loop/timer.h"

namespace holdfast::bench {

// Some downloads and uploads at a time, one after the other on each place. On the loop's thread;
// what is atomic is for all.
class BulkClients final : private Transfer::Owner {
 public:
  BulkClients(loop::Loop& loop, const CrowdOptions& options);

  void start();
  // No further transfers; those under way go on to their end.
  void finish();

  // Bytes move on each place.
  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] bool is_finished() const { return finished_; }

  // Once the loop has ended.
  [[nodiscard]] const Losses& downloads() const { return downloads_; }
  [[nodiscard]] const Losses& uploads() const { return uploads_; }
  [[nodiscard]] std::uint64_t finished_transfers() const { return finished_transfers_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Place {
    BulkRequest::Direction direction;
    std::unique_ptr<Transfer> transfer;
    bool moved = false;
  };

  void transfer_ended(Transfer& transfer, const std::string& loss) override;
  Losses& losses_of(const Place& place);
  void begin(std::size_t number);
  void look_after();

  loop::Loop& loop_;
  CrowdOptions options_;
  std::vector<Place> places_;
  loop::Timer timer_;
  std::uint64_t begun_ = 0;
  bool finishing_ = false;
  Losses downloads_;
  Losses uploads_;
  std::uint64_t finished_transfers_ = 0;
  std::uint64_t bytes_ = 0;  // of finished and lost ones
  std::atomic<bool> ready_ = false;
  std::atomic<bool> finished_ = false;
};

}  // namespace holdfast::bench
