// SPDX-License-Identifier: Apache-2.0
import Foundation
import Pebble
import Testing

@Suite("Jobs that use the system", .timeLimit(.minutes(5)))
struct SystemTests {
  @Test("through Dispatch, the main queue too", arguments: StartMethod.allCases)
  func dispatch(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      for n in [100, 7] { try await expect(try pool.schedule(SystemCalls.sumInQueues, n), n * (n + 1) / 2) }
      try await expect(try pool.schedule(SystemCalls.visitMainQueue), true)
    }
  }

  @Test("through Foundation, its threads and operations too", arguments: StartMethod.allCases)
  func foundation(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let order = Order(id: 7, placed: Date(timeIntervalSince1970: 1_000_000_000), total: Decimal(string: "12.50")!)
      try await expect(try pool.schedule(SystemCalls.throughJSON, order), order)
      try await expect(try pool.schedule(SystemCalls.countInOperations, ["one", "two", "one"]), ["one": 2, "two": 1])
    }
  }
}
