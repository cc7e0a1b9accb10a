# Lua files of the library and its providers, compiled into it.
#
# oras_embed_lua(OUTPUT ARRAY code|stripped|text ROOT FOLDER): put ROOT/FOLDER/**/*.lua into the C file OUTPUT, which
# defines the table ARRAY of src/host/embedded.h; chunks are named "=" and the path below ROOT.
#
# A release carries bytecode without line numbers and names of variables: it starts half a
# millisecond sooner. Whoever looks for a mistake in lua/oras takes another build.
set(ORAS_EMBED_CODE $<IF:$<CONFIG:Release,MinSizeRel>,stripped,code>)
add_executable(oras_embed ${CMAKE_SOURCE_DIR}/cmake/embed/embed.c)
target_link_libraries(oras_embed PRIVATE oras_flags PkgConfig::lua)

function(oras_embed_lua output array kind root folder)
  file(GLOB_RECURSE files RELATIVE ${root} CONFIGURE_DEPENDS ${root}/${folder}/*.lua)
  list(TRANSFORM files PREPEND ${root}/ OUTPUT_VARIABLE paths)
  add_custom_command(
    OUTPUT ${output}
    COMMAND oras_embed ${kind} ${output} ${array} ${root} ${files}
    DEPENDS oras_embed ${paths}
    COMMENT "Embedding ${folder}/*.lua"
    VERBATIM)
endfunction()
