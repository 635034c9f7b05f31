// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What `Tests/under.sh` runs the tests under.
enum Tool: String {
  case addressSanitizer = "asan"
  case threadSanitizer = "tsan"

  static let current = getenv("PEBBLE_TOOL").flatMap { Tool(rawValue: String(cString: $0)) }
}
