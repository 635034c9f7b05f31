// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// The version of the library, such as "0.1.0".
public let pebbleVersion = String(cString: pebble_version())
