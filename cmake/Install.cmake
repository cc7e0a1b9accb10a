# What `cmake --install` puts where: program, library, header, Lua module, providers.
set(lua_lib ${CMAKE_INSTALL_LIBDIR}/lua/5.4)
set(lua_share ${CMAKE_INSTALL_DATADIR}/lua/5.4)

install(TARGETS oras-lua oras oras_static
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# The C module is the library itself: one file, so that a program that links it and a script
# that requires it share one copy.
file(RELATIVE_PATH to_library ${CMAKE_INSTALL_FULL_LIBDIR}/lua/5.4/oras ${CMAKE_INSTALL_FULL_LIBDIR}/liboras.so.0)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/module)
file(CREATE_LINK ${to_library} ${CMAKE_BINARY_DIR}/module/core.so SYMBOLIC)
install(FILES ${CMAKE_BINARY_DIR}/module/core.so DESTINATION ${lua_lib}/oras)

# The command line needs the program around it; the rest works in any Lua 5.4.
install(DIRECTORY lua/oras DESTINATION ${lua_share}
  FILES_MATCHING PATTERN "*.lua"
  PATTERN "cli" EXCLUDE PATTERN "commands" EXCLUDE PATTERN "cli.lua" EXCLUDE PATTERN "providers.lua" EXCLUDE)
install(FILES lua/plain/host.lua DESTINATION ${lua_share}/oras)
install(DIRECTORY providers types DESTINATION ${CMAKE_INSTALL_DATADIR}/oras FILES_MATCHING PATTERN "*.lua")

file(RELATIVE_PATH ORAS_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" ORAS_PC_PREFIX "${ORAS_PC_PREFIX}")
configure_file(cmake/oras.pc.in ${CMAKE_BINARY_DIR}/oras.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/oras.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/oras)

include(CMakePackageConfigHelpers)
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/oras)
file(RELATIVE_PATH ORAS_CMAKE_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/cmake/oras ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/orasConfig.cmake.in ${CMAKE_BINARY_DIR}/orasConfig.cmake @ONLY)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/orasConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/orasConfig.cmake ${CMAKE_BINARY_DIR}/orasConfigVersion.cmake DESTINATION ${cmake_dir})
