// SPDX-License-Identifier: Apache-2.0
import Pebble
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite("A pool as a service", .timeLimit(.minutes(5)))
struct ServiceTests {
  @Test("finishes its jobs at a graceful shutdown")
  func drain() async throws {
    let pool = try ProcessPool(maxWorkers: 1)
    let futures = try (0..<20).map { try pool.schedule(Calls.square, $0) }
    try await shutDown(PoolService(pool, drain: .seconds(50)))
    for (n, future) in futures.enumerated() {
      #expect(future.isDone)
      #expect(try await future.value == n * n)
    }
    #expect(!pool.isActive && pool.statistics.workers == 0)
    #expect { try pool.schedule(Calls.square, 1) } throws: { ($0 as? PebbleError)?.code == .closed }
  }

  @Test("stops what takes longer than its limit")
  func limit() async throws {
    let pool = try ProcessPool(maxWorkers: 1)
    let future = try pool.schedule(Calls.hang, 1)
    try await shutDown(PoolService(pool, drain: .milliseconds(50)))
    #expect(future.isDone && pool.statistics.workers == 0)
    await #expect(throws: (any Error).self) { try await future.value }
  }

  @Test("is stopped when its task is cancelled")
  func cancel() async throws {
    let pool = try ProcessPool(maxWorkers: 1)
    let future = try pool.schedule(Calls.hang, 1)
    let service = Task { try await PoolService(pool, drain: .seconds(1000)).run() }
    service.cancel()
    try await service.value
    #expect(future.isDone && pool.statistics.workers == 0)
  }

  private func shutDown(_ service: PoolService) async throws {
    try await testGracefulShutdown { trigger in
      async let run: Void = service.run()
      trigger.triggerGracefulShutdown()
      try await run
    }
  }
}
