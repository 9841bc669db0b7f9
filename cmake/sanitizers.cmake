# HOLDFAST_SANITIZE=address,undefined or thread; empty for none. Set by the presets.
set(HOLDFAST_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
  # This check makes a pipe to see whether memory can be read: without descriptors, which tests take
  # away, every object looks bad to it.
  add_compile_options(-fno-sanitize=vptr)
endif()
