// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

struct Power: ProcessJob {
  let base, exponent: Int

  func run() throws -> Int {
    if exponent < 0 { throw OrderError.missing("a fraction") }
    return repeatElement(base, count: exponent).reduce(1, *)
  }
}

enum Jobs {
  struct Pair<First: Codable & Sendable, Second: Codable & Sendable>: ProcessJob {
    let first: First
    let second: Second

    func run() async throws -> String {
      await Task.yield()
      return "\(first) \(second)"
    }
  }

  struct Where: ProcessJob {
    @MainActor func run() -> Int32 {
      MainActor.assertIsolated()
      return getpid()
    }
  }
}

private struct Hidden: ProcessJob {
  func run() -> Int { 1 }
}

@Suite("A type of jobs", .timeLimit(.minutes(5)))
struct ProcessJobTests {
  @Test("is run in a worker, for its result or its error", arguments: StartMethod.allCases)
  func run(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Power(base: 2, exponent: 10)), 1024)
      await #expect(throws: OrderError.missing("a fraction")) {
        try await pool.schedule(Power(base: 2, exponent: -1)).value
      }
    }
  }

  @Test("may be nested, generic, asynchronous, of the main actor", arguments: StartMethod.allCases)
  func kinds(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Jobs.Pair(first: 1, second: ["a": 2.5])), #"1 ["a": 2.5]"#)
      let place = try await pool.schedule(Jobs.Where()).value
      #expect(place > 0 && place != getpid())
    }
  }

  @Test("can be mapped, in chunks")
  func map() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var powers: [Int] = []
      for try await power in try pool.map((0..<10).map { Power(base: 2, exponent: $0) }, chunkSize: 3) {
        powers.append(power)
      }
      #expect(powers == (0..<10).map { 1 << $0 })
    }
  }

  @Test("takes the options of a call, and names its jobs")
  func options() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      #expect { try pool.schedule(Power(base: 2, exponent: 1), timeout: .zero) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
      let future = try pool.schedule(Power(base: .max, exponent: 2))  // overflows
      let error = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
      #expect(error?.function == "Power")
    }
  }

  @Test("cannot be private")
  func hidden() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      #expect { try pool.schedule(Hidden()) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
    }
  }
}
