# Manual pages and completions, written by the program itself.
#
# A sanitizer or a fuzzer slows the program down and finds nothing here: no pages then.
if(ORAS_SANITIZE OR ORAS_BUILD_FUZZERS)
  return()
endif()

set(pages ${CMAKE_BINARY_DIR}/pages)
set(folders ${pages}/man ${pages}/bash ${pages}/zsh ${pages}/fish)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/pages.stamp
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${pages}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${folders}
  COMMAND oras-lua ${CMAKE_SOURCE_DIR}/cmake/pages.lua ${pages}
  COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/pages.stamp
  DEPENDS oras-lua ${CMAKE_SOURCE_DIR}/cmake/pages.lua
  COMMENT "Writing manual pages and completions"
  VERBATIM)
add_custom_target(oras_pages ALL DEPENDS ${CMAKE_BINARY_DIR}/pages.stamp)

install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${pages}/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY ${pages}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY ${pages}/fish/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
