# HOLDFAST_SANITIZE=address,undefined or thread; empty for none. Set by the presets.
set(HOLDFAST_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()
