// SPDX-License-Identifier: Apache-2.0
#if Macros
  import Glibc
  import Pebble
  import Testing

  @ConcurrentProcess
  private func tripled(_ n: Int) async throws -> Int { n * 3 }

  @ConcurrentProcess(timeout: .milliseconds(100))
  private func slow(_ n: Int = 1) async throws -> Int { wait(forever: n) }

  @ConcurrentProcess
  private func future(_ n: Int) -> ProcessFuture<Int> { n + 1 }

  @ConcurrentProcess
  private func fibonacci(_ n: Int) async throws -> Int {
    n < 2 ? n : try await fibonacci(n - 1) + fibonacci(n - 2)
  }

  @ConcurrentProcess
  private func ownProcess() async throws -> Int32 { getpid() }

  private let one = try! ProcessPool(maxWorkers: 1)

  @ConcurrentProcess(pool: one)
  private func workerOfPool() async throws -> Int32 { getpid() }

  @ConcurrentProcess(pool: one)
  private func sameWorkerOfPool() -> ProcessFuture<Int32> { getpid() }

  @ConcurrentProcess
  private func silent(_ n: Int) async throws {}

  struct Scaled: Codable, Sendable {
    let factor: Int

    @ConcurrentProcess
    func scale(_ n: Int, by more: Int = 1) async throws -> Int { n * factor * more }

    @ConcurrentProcess
    static func doubled(_ n: Int) async throws -> Int { n * 2 }
  }

  @Suite("The macros", .timeLimit(.minutes(5)))
  struct MacroTests {
    @Test("#process takes functions and closures", arguments: StartMethod.allCases)
    func process(method: StartMethod) async throws {
      try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
        try await expect(try pool.schedule(#process(square), 5), 25)
        try await expect(try pool.schedule(#process { (n: Int, s: String) in "\(s)\(n)" }, 5, "n"), "n5")
        try await expect(try pool.schedule(#process(sumInTasks), 3), 6)
        #expect(#process(square).name == "square")
      }
    }

    @Test("@ConcurrentProcess runs a function in a process of its own")
    func decorated() async throws {
      #expect(try await tripled(4) == 12)
      let first = try await ownProcess()
      #expect(first != getpid())
      #expect(try await ownProcess() != first)
      try await silent(1)
    }

    @Test("@ConcurrentProcess runs a function in the workers of a given pool")
    func inPool() async throws {
      let worker = try await workerOfPool()
      #expect(worker != getpid())
      #expect(try await workerOfPool() == worker)
      #expect(try await sameWorkerOfPool().value == worker)
      #expect(one.statistics.outcomes.succeeded == 3)
    }

    @Test("@ConcurrentProcess limits the running time")
    func limited() async throws {
      await #expect(throws: TimeoutError.self) { try await slow() }
    }

    @Test("@ConcurrentProcess has a future form")
    func futureForm() async throws {
      try await expect(future(1), 2)
    }

    @Test("A decorated function runs in place inside a worker")
    func recursion() async throws {
      #expect(try await fibonacci(10) == 55)
    }

    @Test("@ConcurrentProcess works on methods")
    func methods() async throws {
      #expect(try await Scaled(factor: 3).scale(4) == 12)
      #expect(try await Scaled(factor: 3).scale(4, by: 2) == 24)
      #expect(try await Scaled.doubled(4) == 8)
    }
  }
#endif
