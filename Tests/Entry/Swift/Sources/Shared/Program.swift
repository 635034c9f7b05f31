// SPDX-License-Identifier: Apache-2.0
// Pebble in a shared library; tasks there and in the executable.
import Glibc
import Tasks

@main struct Program {
  static func main() async {
    let status = await checkAll { pool in
      try expect(try await pool.schedule(tripled, 7).value == 21, "a task of the library")
    }
    exit(status)
  }
}
