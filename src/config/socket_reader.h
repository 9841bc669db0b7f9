#pragma once

#include "config/reader.h"

namespace holdfast {

// What listeners and pools say of their connections' sockets, one key each.
void read_user_timeout(Reader& reader, const YAML::Node& node, StreamOptions& options,
                       SocketMarks& marks);
void read_keepalive(Reader& reader, const YAML::Node& node, StreamOptions& options,
                    SocketMarks& marks);
void read_fastopen(Reader& reader, const YAML::Node& node, ListenOptions& options,
                   SocketMarks& marks);
void read_fastopen(Reader& reader, const YAML::Node& node, ConnectOptions& options,
                   SocketMarks& marks);
void read_bind_source(Reader& reader, const YAML::Node& node, ConnectOptions& options,
                      SocketMarks& marks);

// The rows of a listener's keys, or of a pool's `connect`, with those that both have.
template <class T>
[[nodiscard]] Keys<T> with_socket_keys(Keys<T> rows) {
  const Keys<T> shared = {
      {"user_timeout", kOptional,
       [](Reader& r, const YAML::Node& n, T& one) {
         read_user_timeout(r, n, one.socket.stream, one.socket_marks);
       }},
      {"keepalive", kOptional,
       [](Reader& r, const YAML::Node& n, T& one) {
         read_keepalive(r, n, one.socket.stream, one.socket_marks);
       }},
      {"fastopen", kOptional,
       [](Reader& r, const YAML::Node& n, T& one) {
         read_fastopen(r, n, one.socket, one.socket_marks);
       }},
  };
  rows.insert(rows.end(), shared.begin(), shared.end());
  return rows;
}

}  // namespace holdfast
