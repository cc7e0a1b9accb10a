# The program of the sandbox's child: what src/host/sandbox_child.c needs and nothing else, without libcurl, OpenSSL
# and 30 more libraries, whose loading would be most of a call. liboras carries its bytes.
#
# Lua and jansson are linked statically where the distribution has them so: it starts sooner. libc is not: that would
# be another megabyte in every library.
set(ORAS_SANDBOX_PROGRAM ${CMAKE_BINARY_DIR}/sandbox/oras-sandbox)

# The modules that run in the child, besides oras/sandbox/*.
set(sandbox_modules
  archive class container crew descriptor digest error init json log manifest media_types oci options platform provider
  registry response yaml
  registry/blobs registry/changes registry/discover registry/exchange registry/manifests registry/private registry/put
  registry/range registry/referrers registry/remote registry/request registry/settings registry/sources registry/tags
  registry/uploads
  sandbox/backend sandbox/child sandbox/core sandbox/environment sandbox/guest sandbox/task)
list(TRANSFORM sandbox_modules PREPEND oras/)
list(TRANSFORM sandbox_modules APPEND .lua)
list(TRANSFORM sandbox_modules PREPEND ${CMAKE_SOURCE_DIR}/lua/ OUTPUT_VARIABLE sandbox_paths)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/sandbox_modules.c
  COMMAND oras_embed ${ORAS_EMBED_CODE} ${CMAKE_BINARY_DIR}/sandbox_modules.c oras_embedded_modules
    ${CMAKE_SOURCE_DIR}/lua ${sandbox_modules}
  DEPENDS oras_embed ${sandbox_paths}
  COMMENT "Embedding the sandbox's Lua files"
  VERBATIM)

set(sandbox_sources base/alloc.c base/buf.c base/error.c oci/json.c oci/json_text.c oci/utf8.c bind/box.c
  bind/json_decode.c bind/json_encode.c bind/lua_error.c bind/lua_json.c io/sandbox_enter.c host/sandbox_child.c)
list(TRANSFORM sandbox_sources PREPEND ${CMAKE_SOURCE_DIR}/src/)
add_executable(oras_sandbox_program ${sandbox_sources} ${CMAKE_BINARY_DIR}/sandbox_modules.c)
set_target_properties(oras_sandbox_program PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/sandbox OUTPUT_NAME oras-sandbox)
target_link_libraries(oras_sandbox_program PRIVATE oras_flags)
target_include_directories(oras_sandbox_program PRIVATE ${lua_INCLUDE_DIRS} ${jansson_INCLUDE_DIRS})
target_compile_definitions(oras_sandbox_program PRIVATE ORAS_VERSION="${PROJECT_VERSION}")
target_compile_options(oras_sandbox_program PRIVATE -ffunction-sections -fdata-sections)
target_link_options(oras_sandbox_program PRIVATE -s LINKER:--gc-sections)
if(ORAS_SANITIZE OR ORAS_BUILD_FUZZERS) # they want more memory than it may have; main programs are theirs, too
  target_compile_options(oras_sandbox_program PRIVATE -fno-sanitize=all)
  target_link_options(oras_sandbox_program PRIVATE -fno-sanitize=all)
endif()

if(ORAS_STATIC_LUA AND ORAS_STATIC_JANSSON)
  target_link_libraries(oras_sandbox_program PRIVATE ${ORAS_STATIC_LUA} ${ORAS_STATIC_JANSSON} m)
else()
  target_link_libraries(oras_sandbox_program PRIVATE PkgConfig::lua PkgConfig::jansson m)
endif()
