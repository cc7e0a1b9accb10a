# What a rock has: the Lua module alone, its core under the name that require looks for.
#
#     cmake -DLUADIR=... -DLIBDIR=... -DBUILD=... -P cmake/InstallRock.cmake
file(REAL_PATH ${BUILD}/src/liboras.so library)
file(INSTALL ${library} DESTINATION ${LIBDIR}/oras RENAME core.so)
file(INSTALL lua/oras DESTINATION ${LUADIR}
  FILES_MATCHING PATTERN "*.lua"
  PATTERN "cli" EXCLUDE PATTERN "commands" EXCLUDE PATTERN "cli.lua" EXCLUDE PATTERN "providers.lua" EXCLUDE)
file(INSTALL lua/plain/host.lua DESTINATION ${LUADIR}/oras)
