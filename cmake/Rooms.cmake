# oras_room(NAME SOURCES... [LIBS libs...]): one OBJECT library a room, and oras_unit for its tests.
function(oras_room name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_library(oras_${name} OBJECT ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(oras_${name} PRIVATE oras_flags PUBLIC ${arg_LIBS})
endfunction()

# oras_unit(ROOM MODULE [ROOMS rooms...] [LIBS libs...]): tests/unit/ROOM/test_MODULE.c with cmocka.
function(oras_unit room module)
  cmake_parse_arguments(arg "" "" "ROOMS;LIBS" ${ARGN})
  set(target unit_${room}_${module})
  add_executable(${target} test_${module}.c)
  foreach(part IN LISTS arg_ROOMS)
    target_link_libraries(${target} PRIVATE oras_${part})
  endforeach()
  target_link_libraries(${target} PRIVATE oras_flags PkgConfig::cmocka Threads::Threads ${arg_LIBS})
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES LABELS unit)
endfunction()
