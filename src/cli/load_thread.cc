#include "cli/load_thread.h"

namespace holdfast::cli {

Result<std::unique_ptr<LoadThread>> LoadThread::start(LoadOptions options,
                                                      LoadGenerator::OnFinished on_finished) {
  std::unique_ptr<LoadThread> self(new LoadThread);
  auto& loop = self->loop_;
  auto generator = LoadGenerator::make(loop, options, std::move(on_finished), [&] { loop.stop(); });
  if (!generator) {
    return tl::unexpected(generator.error());
  }
  self->generator_ = std::move(*generator);
  self->begin_ = Clock::now();
  self->generator_->start(self->begin_);
  self->thread_ = std::thread([&loop] { loop.run(); });
  return self;
}

LoadThread::~LoadThread() {
  if (thread_.joinable()) {
    inbox_.post([this] { generator_->stop(); });
    thread_.join();
  }
}

void LoadThread::end_after(Duration duration) {
  inbox_.post([this, duration] { generator_->end_after(duration); });
}

void LoadThread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace holdfast::cli
