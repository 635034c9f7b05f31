// SPDX-License-Identifier: Apache-2.0
#if Macros
  import Glibc
  import Pebble
  import Testing

  private let arrived = try! Queue<Int32>()

  @SignalHandler(SIGUSR2, SIGWINCH)
  private func noteSignal(_ signal: Int32) {
    _ = try? arrived.offer(signal)
  }

  private enum Urgent {
    static let count = try! Queue<Int32>()

    @SignalHandler(SIGURG)
    static func note() {
      _ = try? count.offer(0)
    }
  }

  func hasHandler(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return action.__sigaction_handler.sa_handler != nil  // SIG_DFL is null
  }

  @Suite("A signal handler", .timeLimit(.minutes(5)), .serialized)
  struct SignalHandlerTests {
    @Test("is there without a call, and is called on a thread where it may do anything")
    func called() async throws {
      for signal in [SIGUSR2, SIGWINCH] {
        kill(getpid(), signal)
        #expect(try await arrived.get() == signal)
      }
    }

    @Test("may be a static method without parameters")
    func method() async throws {
      kill(getpid(), SIGURG)
      #expect(try await Urgent.count.get() == 0)
    }

    @Test("is not in worker processes", arguments: StartMethod.allCases)
    func workers(method: StartMethod) async throws {
      #expect(hasHandler(SIGUSR2))
      try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
        try await expect(try pool.schedule(#process(hasHandler), SIGUSR2), false)
      }
    }
  }
#endif
