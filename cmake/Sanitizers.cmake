# ORAS_SANITIZE=address,undefined | thread, for everything that is built.
if(ORAS_SANITIZE)
  add_compile_options(-fsanitize=${ORAS_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${ORAS_SANITIZE})
  if(ORAS_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
