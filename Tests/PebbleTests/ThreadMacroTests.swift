// SPDX-License-Identifier: Apache-2.0
#if Macros
  import Dispatch
  import Glibc
  import Pebble
  import Testing

  @ConcurrentThread
  private func thread() async throws -> pthread_t { pthread_self() }

  @ConcurrentThread
  private func half(_ n: Int) -> Future<Int> {
    if n % 2 == 1 { throw OrderError.missing("\(n) / 2") }
    return n / 2
  }

  @ConcurrentThread(timeout: .milliseconds(20))
  private func slow() async throws {
    while !isJobCancelled { sched_yield() }
  }

  private let one = try! ThreadPool(maxWorkers: 1)

  private struct Greeter: Sendable {
    let greeting: String

    @ConcurrentThread(pool: one)
    func greet(_ name: String = "you") async throws -> (String, pthread_t) { ("\(greeting) \(name)", pthread_self()) }

    @ConcurrentThread(pool: one)
    static func first<T: Sendable>(of values: [T]) async throws -> T? { values.first }
  }

  @Suite("@ConcurrentThread in use", .timeLimit(.minutes(5)))
  struct ThreadMacroTests {
    @Test("runs a function in another thread, for its value or error")
    func values() async throws {
      let other = try await thread()
      #expect(other != pthread_self())
      try await expect(half(8), 4)
      await #expect(throws: OrderError.missing("3 / 2")) { try await half(3).value }
    }

    @Test("limits the time that a caller waits")
    func limit() async throws {
      await #expect(throws: TimeoutError.self) { try await slow() }
    }

    @Test("takes methods, generic ones too, and runs them in a given pool")
    func methods() async throws {
      let first = try await Greeter(greeting: "hello").greet()
      let second = try await Greeter(greeting: "good day,").greet("sir")
      #expect(first.0 == "hello you" && second.0 == "good day, sir")
      #expect(first.1 == second.1)
      #expect(try await Greeter.first(of: [3, 4]) == 3)
    }
  }
#endif
