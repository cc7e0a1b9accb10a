rockspec_format = "3.0"
package = "oras"
version = "0.1.0-1"
source = {
  url = "file://oras-lua-0.1.0.tar.gz",
  dir = "oras-lua-0.1.0",
}
description = {
  summary = "A client of OCI registries that is extended in Lua",
  detailed = [[
    What require "oras" finds: a class from which providers inherit, its core in C. It builds with CMake
    against the libraries of the system (Debian 12: scripts/install-deps build installs them), here
    from a checkout: luarocks --lua-version 5.4 make
  ]],
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4, < 5.5" }
external_dependencies = {
  ARCHIVE = { header = "archive.h" },
  BZIP2 = { header = "bzlib.h" },
  CRYPTO = { header = "openssl/crypto.h" },
  DEFLATE = { header = "libdeflate.h" },
  ISAL = { header = "isa-l.h" },
  JANSSON = { header = "jansson.h" },
  ZSTD = { header = "zstd.h" },
}
build = {
  type = "command",
  build_command = "cmake -S . -B build/rock -DCMAKE_BUILD_TYPE=Release && cmake --build build/rock -j2 --target oras",
  install_command = "cmake -DLUADIR=$(LUADIR) -DLIBDIR=$(LIBDIR) -DBUILD=build/rock -P cmake/InstallRock.cmake",
}
