# The preset small: oras-lua as one file that needs libc, libcurl and OpenSSL. Those two stay shared: they get
# the distribution's security updates.
include(CheckIPOSupported)
check_ipo_supported(RESULT CMAKE_INTERPROCEDURAL_OPTIMIZATION LANGUAGES C)
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(LINKER:--gc-sections -s)

foreach(name lua cjson jansson)
  string(TOUPPER ORAS_STATIC_${name} archive)
  if(${archive})
    set_target_properties(PkgConfig::${name} PROPERTIES INTERFACE_LINK_LIBRARIES "${${archive}};m")
  endif()
endforeach()

# Modules in C that scripts require look for Lua in the program then.
set(ORAS_LUA_EXPORTS ${CMAKE_BINARY_DIR}/lua.list)
file(WRITE ${ORAS_LUA_EXPORTS} "{ lua_*; luaL_*; luaopen_*; };\n")
