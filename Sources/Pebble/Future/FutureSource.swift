// SPDX-License-Identifier: Apache-2.0

/// Where a future's outcome comes from.
protocol FutureSource<Value>: Sendable {
  associatedtype Value: Sendable

  var isDone: Bool { get }
  var isRunning: Bool { get }

  /// How long the job ran, when it has succeeded; nil where nobody measures it.
  var runTime: Duration? { get }

  /// Whether there is an outcome within that many nanoseconds.
  func wait(_ timeout: Int64) -> Bool

  /// Whether, in that time, nothing of it can be running any more.
  func waitGone(_ timeout: Int64) -> Bool

  func cancel() -> Cancellation

  /// Calls `body` once there is an outcome; see `FutureHandle.onDone`.
  func onDone(inline: Bool, _ body: @escaping @Sendable () -> Void) throws(PebbleError)

  /// The outcome. There must be one.
  func outcome() -> Result<Value, any Error>
}

/// A future of the C library.
protocol HandleSource<Value>: FutureSource {
  var handle: FutureHandle { get }
}

extension HandleSource {
  var isDone: Bool { handle.isDone }
  var isRunning: Bool { handle.isRunning }

  var runTime: Duration? {
    guard let outcome = handle.outcome, case .success = outcome.status else { return nil }
    return outcome.runTime
  }

  func wait(_ timeout: Int64) -> Bool { handle.wait(timeout) }
  func waitGone(_ timeout: Int64) -> Bool { handle.waitGone(timeout) }
  func cancel() -> Cancellation { handle.cancel() }

  func onDone(inline: Bool, _ body: @escaping @Sendable () -> Void) throws(PebbleError) {
    try handle.onDone(inline: inline, body)
  }
}

/// A job in a pool of processes.
struct JobSource<Value: Sendable>: HandleSource {
  let handle: FutureHandle
  /// The name of the function.
  let function: String
  let decode: @Sendable (UnsafeRawBufferPointer) throws -> Value

  func outcome() -> Result<Value, any Error> {
    guard let outcome = handle.outcome else { preconditionFailure("no outcome yet") }
    return withExtendedLifetime(handle) {
      if let error = outcome.error(of: function) { return .failure(error) }
      return Result { try decode(outcome.data) }
    }
  }
}

/// An outcome that is there from the beginning.
struct SettledSource<Value: Sendable>: FutureSource {
  let result: Result<Value, any Error>

  var isDone: Bool { true }
  var isRunning: Bool { false }
  var runTime: Duration? { nil }

  func wait(_: Int64) -> Bool { true }
  func waitGone(_: Int64) -> Bool { true }
  func cancel() -> Cancellation { .tooLate }
  func onDone(inline: Bool, _ body: @escaping @Sendable () -> Void) { body() }
  func outcome() -> Result<Value, any Error> { result }
}
