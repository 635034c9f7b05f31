/* Only here so that SwiftPM finds and links libbsd; C includes <bsd/...> in Sources/CPebble/compat.h. */
