// SPDX-License-Identifier: Apache-2.0
// Pebble, and all tasks, in the executable itself.
import Glibc

@main struct Program {
  static func main() async {
    exit(await checkAll { _ in })
  }
}
