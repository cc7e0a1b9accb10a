# ORAS_SANITIZE=address,undefined | thread, for everything that is built.
if(ORAS_SANITIZE)
  add_compile_options(-fsanitize=${ORAS_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${ORAS_SANITIZE})
  if(ORAS_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# What a fuzzer needs to see where an input leads; scripts/fuzz builds with clang.
if(ORAS_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link -g)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
