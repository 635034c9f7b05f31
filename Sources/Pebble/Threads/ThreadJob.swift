// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// A closure that a thread runs.
protocol ThreadJob: Sendable {
  /// Whether it returned, and did not throw.
  func run() -> Bool
}

/// The jobs of all thread pools that have not begun, by numbers: what the C library is given in their place.
///
/// A job that ends before it begins, by a cancel say, must be freed then; and one that begins must live until it has
/// returned, even if its future has its outcome before. So whoever comes first takes it out.
enum ThreadJobs {
  private struct State {
    var last: UInt64 = 0
    var jobs: [UInt64: any ThreadJob] = [:]
  }

  private static let state = Mutex(State())

  static func add(_ job: any ThreadJob) -> UInt64 {
    state.withLock { state in
      state.last += 1
      state.jobs[state.last] = job
      return state.last
    }
  }

  static func take(_ number: UInt64) -> (any ThreadJob)? {
    state.withLock { $0.jobs.removeValue(forKey: number) }
  }

  static func drop(_ number: UInt64) {
    _ = take(number)
  }
}

/// A closure, and then what it returned or threw.
final class ClosureJob<Value: Sendable>: ThreadJob {
  private struct State {
    var body: (@Sendable () throws -> Value)?
    var result: Result<Value, any Error>?
  }

  private let state: Mutex<State>

  init(_ body: @escaping @Sendable () throws -> Value) {
    state = Mutex(State(body: body))
  }

  func run() -> Bool {
    let body = state.withLock { $0.body.take() }
    guard let body else { return false }
    let result = Result(catching: body)
    state.withLock { $0.result = result }
    return (try? result.get()) != nil
  }

  var result: Result<Value, any Error>? { state.withLock { $0.result } }
}

/// What outcomes of the C library mean for a closure.
struct ThreadOutcomes<Value: Sendable>: Sendable {
  let job: ClosureJob<Value>
  let procedures: ThreadProcedures?
  let name: String

  func result(of outcome: Outcome) -> Result<Value, any Error> {
    switch outcome.status {
    case .success, .failure:
      if let result = job.result { return result }
    case .notInitialized:
      if let error = procedures?.error { return .failure(InitializerError(cause: error, outputTail: nil)) }
    default:
      break
    }
    return .failure(outcome.error(of: name) ?? CancellationError())
  }

  @Sendable
  func error(of outcome: Outcome) -> (any Error)? {
    if case .failure(let error) = result(of: outcome) { error } else { nil }
  }
}

/// A job in a thread pool.
struct ThreadSource<Value: Sendable>: HandleSource {
  let handle: FutureHandle
  let outcomes: ThreadOutcomes<Value>

  func outcome() -> Result<Value, any Error> {
    guard let outcome = handle.outcome else { preconditionFailure("no outcome yet") }
    return outcomes.result(of: outcome)
  }
}
