// SPDX-License-Identifier: Apache-2.0
import Pebble
import Subprocess
import Testing

extension Work {
  /// What a shell exits with, run by swift-subprocess.
  static func shell(_ status: Int32) async throws -> Int32? {
    let record = try await Subprocess.run(
      .path("/bin/sh"), arguments: ["-c", "exit \(status)"], output: .discarded, error: .discarded)
    if case .exited(let code) = record.terminationStatus { return code }
    return nil
  }
}

@Suite("swift-subprocess", .timeLimit(.minutes(5)))
struct SubprocessTests {
  private static let shell = ProcessFunction(Work.shell, name: "shell") { ProcessCall($0).run(Work.shell) }

  @Test("runs programs while pools work, and in their jobs", arguments: StartMethod.allCases)
  func subprocess(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      for status in Int32(0)..<5 {
        let inside = try pool.schedule(Self.shell, status)
        let crash = try pool.schedule(Calls.crash, 3)
        #expect(try await Work.shell(status + 10) == status + 10)
        #expect(try await inside.value == status)
        await #expect(throws: ProcessExpired.self) { try await crash.value }
      }
    }
  }
}
