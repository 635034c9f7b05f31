// SPDX-License-Identifier: Apache-2.0
import Foundation
import Pebble
import Testing

/// What `/bin/sh` exits with, run by Foundation.
func shellStatus(_ status: Int32) throws -> Int32 {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/sh")
  process.arguments = ["-c", "exit \(status)"]
  try process.run()
  process.waitUntilExit()
  return process.terminationStatus
}

@Suite("Foundation.Process", .timeLimit(.minutes(5)))
struct CoexistenceTests {
  private static let shell = ProcessFunction(shellStatus) { ProcessCall($0).run(shellStatus) }

  @Test("runs in the program while pools work, and in their jobs", arguments: StartMethod.allCases)
  func process(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      for status in Int32(0)..<5 {
        let inside = try pool.schedule(Self.shell, status)
        let crash = try pool.schedule(Calls.leave, 3)
        #expect(try shellStatus(status + 10) == status + 10)
        #expect(try await inside.value == status)
        await #expect(throws: ProcessExpired.self) { try await crash.value }
      }
    }
  }
}
