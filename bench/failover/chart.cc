#include "failover/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "cli/wording.h"

namespace holdfast::bench {
namespace {

// Distinguishable with the common kinds of colour blindness (Okabe and Ito).
constexpr std::array<const char*, 3> kColours = {"#0072b2", "#d55e00", "#009e73"};

constexpr double kWidth = 960;
constexpr double kLeft = 70;
constexpr double kRight = kWidth - 20;
constexpr double kPanelHeight = 190;
constexpr double kThroughputTop = 84;
constexpr double kLatencyTop = kThroughputTop + kPanelHeight + 66;
constexpr double kHeight = kLatencyTop + kPanelHeight + 50;

constexpr double kLeastMilliseconds = 0.1;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string text_at(double x, double y, const char* attributes, const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes) + text + "</text>\n";
}

// One of the two diagrams: where values go, and its frame.
class Panel {
 public:
  Panel(double top, double seconds, double least, double most, bool logarithmic)
      : top_(top), seconds_(seconds), least_(least), most_(most), logarithmic_(logarithmic) {}

  [[nodiscard]] double x(double seconds) const {
    return kLeft + seconds / seconds_ * (kRight - kLeft);
  }
  [[nodiscard]] double y(double value) const {
    value = std::clamp(value, least_, most_);
    const double part = logarithmic_ ? std::log(value / least_) / std::log(most_ / least_)
                                     : (value - least_) / (most_ - least_);
    return top_ + kPanelHeight * (1 - part);
  }

  [[nodiscard]] std::string frame(const std::string& title,
                                  const std::vector<double>& ticks) const {
    auto svg = text_at(kLeft, top_ - 10, "class=\"title\"", title);
    for (const double tick : ticks) {
      svg += format("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", kLeft, y(tick), kRight);
      svg += text_at(kLeft - 8, y(tick) + 4, "text-anchor=\"end\"", format("%g", tick));
    }
    for (int second = 0; second <= seconds_; ++second) {
      svg += text_at(x(second), top_ + kPanelHeight + 18, "text-anchor=\"middle\"",
                     format("%d s", second));
    }
    return svg;
  }

  [[nodiscard]] std::string mark(Duration at, const std::string& label) const {
    const double place = x(std::chrono::duration<double>(at).count());
    return format("<path class=\"mark\" d=\"M%.1f %.1fv%.1f\"/>\n", place, top_, kPanelHeight) +
           (label.empty() ? "" : text_at(place + 5, top_ + 13, "class=\"label\"", label));
  }

  // Negative values leave a gap.
  [[nodiscard]] std::string line(const std::vector<double>& values, const char* colour) const {
    std::string path;
    bool drawing = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] < 0) {
        drawing = false;
        continue;
      }
      const double middle = (static_cast<double>(i) + 0.5) / static_cast<double>(values.size());
      path += format("%c%.1f %.1f", drawing ? 'L' : 'M', x(middle * seconds_), y(values[i]));
      drawing = true;
    }
    return "<path class=\"line\" stroke=\"" + std::string(colour) + "\" d=\"" + path + "\"/>\n";
  }

 private:
  double top_;
  double seconds_;
  double least_;
  double most_;
  bool logarithmic_;
};

std::string draw_heading(const std::vector<ChartLine>& lines, const Schedule& schedule) {
  auto svg = text_at(kLeft, 26, "class=\"heading\"",
                     "One of three backends is killed, " +
                         cli::with_separators(static_cast<std::uint64_t>(schedule.rate)) +
                         " requests a second");
  double place = kLeft;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    svg += format("<path class=\"key\" stroke=\"%s\" d=\"M%.1f 46h22\"/>\n",
                  kColours[i % kColours.size()], place);
    svg += text_at(place + 28, 50, "", lines[i].name);
    place += 120;
  }
  return svg;
}

std::vector<double> powers_of_ten(double from, double to) {
  std::vector<double> ticks;
  const auto count = static_cast<int>(std::log10(to / from) + 0.001) + 1;
  for (int i = 0; i < count; ++i) {
    ticks.push_back(from * std::pow(10, i));
  }
  return ticks;
}

double slowest(const std::vector<ChartLine>& lines) {
  double most = 0;
  for (const auto& line : lines) {
    most = std::max(most, *std::max_element(line.series.p99.begin(), line.series.p99.end()));
  }
  return most;
}

constexpr const char* kStyle = R"(<style>
text { font: 12px system-ui, sans-serif; fill: #333 }
.heading { font-size: 16px; font-weight: 600 }
.title { font-weight: 600 }
.label { fill: #777 }
.grid { stroke: #e4e4e4 }
.mark { stroke: #777; stroke-dasharray: 4 3 }
.line { fill: none; stroke-width: 1.3; stroke-linejoin: round }
.key { stroke-width: 3 }
</style>
)";

}  // namespace

std::string draw_chart(const std::vector<ChartLine>& lines, const Schedule& schedule) {
  const double seconds = std::chrono::duration<double>(schedule.end).count();
  const double most = std::pow(10, std::ceil(std::log10(std::max(slowest(lines), 10.0))));
  const Panel throughput(kThroughputTop, seconds, 0, schedule.rate * 1.2, false);
  const Panel latency(kLatencyTop, seconds, kLeastMilliseconds, most, true);

  auto svg = format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\">\n",
                    kWidth, kHeight);
  svg += kStyle;
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  svg += draw_heading(lines, schedule);
  svg += throughput.frame(
      "answered requests a second, by when they were due",
      {0, schedule.rate / 4, schedule.rate / 2, schedule.rate * 3 / 4, schedule.rate});
  svg += latency.frame("p99 latency in milliseconds, by when requests were due",
                       powers_of_ten(kLeastMilliseconds, most));
  svg +=
      throughput.mark(schedule.begins, "SIGKILL") + throughput.mark(schedule.is_over, "it is back");
  svg += latency.mark(schedule.begins, "") + latency.mark(schedule.is_over, "");
  // The first contender is drawn last, on top.
  for (std::size_t i = lines.size(); i-- > 0;) {
    svg += throughput.line(lines[i].series.throughput, kColours[i % kColours.size()]);
    svg += latency.line(lines[i].series.p99, kColours[i % kColours.size()]);
  }
  return svg + "</svg>\n";
}

}  // namespace holdfast::bench
