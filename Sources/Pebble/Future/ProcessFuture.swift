// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// The outcome, sooner or later, of a function that was scheduled in a worker process.
///
/// Every future gets exactly one outcome, whatever becomes of the worker and the pool: the function's result, or an
/// error:
/// - what the function threw, as the same type if that is `Codable`, else as a ``RemoteError``;
/// - ``TimeoutError`` when a limit expired;
/// - `CancellationError` when it was cancelled, or its pool was stopped while it ran;
/// - ``ProcessExpired`` when its worker died in it;
/// - ``PebbleError`` when it never began, or could not be decoded.
///
/// Dropping a future does not cancel its job.
public final class ProcessFuture<Value: Sendable>: Sendable {
  private let source: any FutureSource<Value>
  private let watchers = Mutex(Watchers())

  init(_ source: some FutureSource<Value>) {
    self.source = source
  }

  /// A future with its outcome already.
  convenience init(_ result: Result<Value, any Error>) {
    self.init(SettledSource(result: result))
  }

  /// Whether there is an outcome.
  public var isDone: Bool { source.isDone }

  /// Whether a worker has begun the job and there is no outcome yet.
  public var isRunning: Bool { source.isRunning }

  /// What the job is doing.
  public var state: FutureState { source.isDone ? .done : source.isRunning ? .running : .pending }

  /// The result, waiting for it. Cancelling the waiting task cancels the job.
  ///
  /// - Throws: the outcome's error, see ``ProcessFuture``.
  public nonisolated(nonsending) var value: Value {
    get async throws {
      try await outcome(isolation: #isolation).get()
    }
  }

  /// Waits for the result, blocking the thread.
  ///
  /// - Parameter timeout: how long to wait, without limit when nil; the job goes on after it.
  /// - Throws: the outcome's error, see ``ProcessFuture``; ``TimeoutError`` with the limit
  ///   ``TimeoutError/Limit/wait`` when there is none in time.
  @available(*, noasync, message: "use 'await value'")
  public func result(timeout: Duration? = nil) throws -> Value {
    guard source.wait(timeout.nanosecondsToWait) else { throw TimeoutError(.wait, timeout ?? .zero) }
    return try source.outcome().get()
  }

  /// Where the outcome's error came from: where it was thrown in the worker, or where that crashed.
  ///
  /// Nil while there is no outcome, when it is no such error, or for the reasons that ``RemoteBacktrace/init(of:)`` has.
  public var remoteBacktrace: RemoteBacktrace? {
    guard source.isDone, case .failure(let error) = source.outcome() else { return nil }
    return RemoteBacktrace(of: error)
  }

  /// Ends the job: one that waits never runs, one that runs loses its worker.
  ///
  /// From then on the outcome is a `CancellationError`, unless it was too late.
  @discardableResult
  public func cancel() -> Cancellation {
    source.cancel()
  }

  /// Calls `body` once there is an outcome, at once if there is one already.
  ///
  /// - Parameter body: called on a thread that the pool keeps for callbacks: it may block without harm to the pool,
  ///   and may stop the pool, but must not join it.
  /// - Throws: ``PebbleError`` when there is no memory or thread for it.
  public func onDone(_ body: @escaping @Sendable (Result<Value, any Error>) -> Void) throws {
    try source.onDone(inline: false) { [source] in body(source.outcome()) }
  }

  /// Waits until the job has its outcome and its process can do no more for it: it has returned, or is dead.
  ///
  /// - Returns: whether that happened within `timeout`, without limit when nil.
  @available(*, noasync, message: "use 'await gone()'")
  public func waitUntilGone(timeout: Duration? = nil) -> Bool {
    source.waitGone(timeout.nanosecondsToWait)
  }

  /// Waits until the job has its outcome and its process can do no more for it: it has returned, or is dead.
  ///
  /// Blocks no thread of Swift's executors, and neither ends the job nor returns early when the task is cancelled.
  public func gone(isolation: isolated (any Actor)? = #isolation) async {
    if source.waitGone(0) { return }
    await settled(isolation: isolation)
    await withCheckedContinuation(isolation: isolation) { continuation in
      DispatchQueue(label: "pebble.gone").async { [source] in
        _ = source.waitGone(.max)
        continuation.resume()
      }
    }
  }

  /// Waits for the outcome; cancelling the waiting task cancels the job.
  ///
  /// The closure is made one of the caller's isolation by naming it: waiting then costs no hop between executors.
  func outcome(isolation: isolated (any Actor)? = #isolation) async -> Result<Value, any Error> {
    if source.isDone { return source.outcome() }
    await withTaskCancellationHandler(
      operation: { await settled(isolation: isolation) },
      onCancel: { _ = source.cancel() },
      isolation: isolation)
    return source.outcome()
  }

  /// How long the job ran, when it has succeeded.
  var runTime: Duration? { source.runTime }

  private func settled(isolation: isolated (any Actor)?) async {
    await withCheckedContinuation(isolation: isolation) { continuation in
      whenDone { continuation.resume() }
    }
  }

  /// Calls `body`, which must not block, once there is an outcome.
  func whenDone(_ body: @escaping @Sendable () -> Void) {
    do throws(PebbleError) {
      try source.onDone(inline: true, body)
    } catch {
      preconditionFailure("out of memory")
    }
  }
}

extension ProcessFuture: WaitableFuture {
  public var _reference: _FutureReference {
    _FutureReference(watch: watch, unwatch: { [self] watch in watchers.withLock { $0.remove(watch) } })
  }

  @Sendable private func watch(_ watch: FutureWatch) {
    switch watchers.withLock({ $0.add(watch) }) {
    case .added:
      break
    case .addedFirst:
      whenDone { [self] in
        for watch in watchers.withLock({ $0.fire() }) { watch.oneIsDone() }
      }
    case .tooLate:
      watch.oneIsDone()
    }
  }
}
