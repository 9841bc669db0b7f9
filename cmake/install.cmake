install(TARGETS holdfast RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(CODE "set(SOURCE_DIR \"${CMAKE_SOURCE_DIR}\")")
install(SCRIPT cmake/install-configuration.cmake)
