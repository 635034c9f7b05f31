// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Pebble

public struct Refusal: Error, Codable, Equatable {
  public let number: Int
}

/// A decorated function that other modules call.
@ConcurrentProcess
public func inverse(of number: Int) async throws -> Double {
  guard number != 0 else { throw Refusal(number: number) }
  return 1 / Double(number)
}

@ConcurrentProcess(timeout: .milliseconds(100))
public func hanging() async throws {
  while true { pause() }
}

public let pool = try! ProcessPool(maxWorkers: 1)

/// Runs in a worker of ``pool``.
@ConcurrentProcess(pool: pool)
public func worker() -> ProcessFuture<Int32> { getpid() }

public struct Scale: Codable, Sendable {
  let factor: Int

  public init(factor: Int) { self.factor = factor }

  @ConcurrentProcess(name: "scaling")
  public func scaled(_ numbers: [Int], by more: Int = 1) async throws -> [Int] {
    numbers.map { $0 * factor * more }
  }

  @ConcurrentProcess
  public static func crash() async throws { abort() }
}

@ConcurrentThread
public func thread() async throws -> UInt { pthread_self() }

nonisolated(unsafe) public private(set) var count = 0

@Synchronized
public func countUp(by step: Int) -> Int {
  count += step
  return count
}

public let arrived = try! Queue<Int32>()

@SignalHandler(SIGUSR1)
private func note(signal: Int32) {
  _ = try? arrived.offer(signal)
}
