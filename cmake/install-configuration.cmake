# Installs the unit and the sample configuration. Run by `cmake --install`, so that DESTDIR and
# --prefix count. SOURCE_DIR is set by the caller.
#
# The unit in systemd/ is that of prefix /usr; its two paths follow another prefix. As in the FHS,
# /usr and /usr/local and whatever is below /opt have their configuration in /etc.

set(prefix "${CMAKE_INSTALL_PREFIX}")
if(prefix MATCHES "^/(usr(/local)?|opt/.*)/?$")
  set(configuration "/etc/holdfast/holdfast.yaml")
else()
  set(configuration "${prefix}/etc/holdfast/holdfast.yaml")
endif()
string(REGEX REPLACE "/$" "" prefix "${prefix}")

file(READ "${SOURCE_DIR}/systemd/holdfast.service" unit)
string(REPLACE "/usr/sbin/holdfast" "${prefix}/sbin/holdfast" unit "${unit}")
string(REPLACE "/etc/holdfast/holdfast.yaml" "${configuration}" unit "${unit}")
set(unit_file "$ENV{DESTDIR}${prefix}/lib/systemd/system/holdfast.service")
message(STATUS "Installing: ${unit_file}")
file(WRITE "${unit_file}" "${unit}")
file(CHMOD "${unit_file}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

set(sample "$ENV{DESTDIR}${configuration}")
if(EXISTS "${sample}")
  message(STATUS "Kept as it is: ${sample}")
else()
  message(STATUS "Installing: ${sample}")
  get_filename_component(directory "${sample}" DIRECTORY)
  file(MAKE_DIRECTORY "${directory}")
  file(COPY_FILE "${SOURCE_DIR}/conf/holdfast.yaml" "${sample}")
  file(CHMOD "${sample}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endif()
