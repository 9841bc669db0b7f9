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

}  // namespace holdfast
