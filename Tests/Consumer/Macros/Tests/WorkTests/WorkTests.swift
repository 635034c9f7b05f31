// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing
import Work

@ConcurrentProcess
private func own() async throws -> Int32 { getpid() }

@Suite("A package that depends on Pebble with its macros", .timeLimit(.minutes(5)))
struct WorkTests {
  @Test("calls decorated functions of its modules, for their values and errors")
  func functions() async throws {
    #expect(try await inverse(of: 4) == 0.25)
    await #expect(throws: Refusal.self) { try await inverse(of: 0) }
    #expect(try await Scale(factor: 3).scaled([1, 2], by: 2) == [6, 12])
    let first = try await own()
    #expect(first != getpid())
    #expect(try await own() != first)
  }

  @Test("learns of limits and crashes")
  func failures() async throws {
    await #expect(throws: TimeoutError.self) { try await hanging() }
    await #expect(throws: ProcessExpired.self) { try await Scale.crash() }
  }

  @Test("has pools, and functions made of closures", arguments: StartMethod.allCases)
  func pools(method: StartMethod) async throws {
    let process = try await worker().value
    #expect(try await worker().value == process)
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let length = try pool.schedule(#process { (text: String) in text.count }, "hello")
      #expect(try await length.value == 5)
    }
  }

  @Test("has threads, locks and signal handlers")
  func others() async throws {
    let other = try await thread()
    #expect(other != pthread_self())
    #expect(countUp(by: 2) == 2)
    kill(getpid(), SIGUSR1)
    #expect(try await arrived.get() == SIGUSR1)
  }
}
