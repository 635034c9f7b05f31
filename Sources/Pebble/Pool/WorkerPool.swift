// SPDX-License-Identifier: Apache-2.0

/// What pools of processes and of threads have in common: their size and their end.
///
/// Workers are the processes, or the threads.
///
/// A pool ends in one of two ways: ``close()`` lets the jobs there are finish, ``stop()`` does not; ``join(timeout:)``
/// or ``joined()`` then waits until all workers are gone. A pool that is dropped is stopped.
public protocol WorkerPool: AnyObject, Sendable {
  var _reference: _PoolReference { get }
}

/// A pool's inside.
public struct _PoolReference: Sendable {
  let handle: PoolHandle
}

extension WorkerPool {
  private var handle: PoolHandle { _reference.handle }

  /// The most workers at one time.
  public var maxWorkers: Int { handle.maxWorkers }

  /// Changes the most workers at one time. Workers above it end when they have no job; nothing that runs is disturbed.
  ///
  /// - Throws: ``PebbleError``: `maxWorkers` is not 1 to 65,536.
  public func resize(maxWorkers: Int) throws {
    try handle.resize(maxWorkers)
  }

  /// Whether the pool takes, or still has, work.
  public var isActive: Bool { handle.isActive }

  /// Jobs that `body` schedules one right after the other are taken in together, which costs fewer wake-ups: up to 32 of
  /// them, and no later than at its end, so whatever takes its time does not belong into it.
  ///
  /// - Returns: what `body` returns.
  @discardableResult
  public func batch<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    try handle.batch(body)
  }

  /// No more jobs; those there are run to their end. Repeating it is harmless.
  public func close() { handle.close() }

  /// No more jobs; those running are killed, or told where they are in threads, those waiting never run. Returns
  /// without waiting for the workers.
  public func stop() { handle.stop() }

  /// Waits until a closed or stopped pool has come to rest: every job has its outcome and runs no more, every worker is
  /// gone, every callback has returned.
  ///
  /// - Parameter timeout: how long to wait, without limit when nil.
  /// - Throws: ``TimeoutError`` with the limit ``TimeoutError/Limit/wait``: the pool may then be joined again, or
  ///   stopped and joined. ``PebbleError``: the pool is still open, or this is one of its callbacks or threads.
  @available(*, noasync, message: "use 'await joined()'")
  public func join(timeout: Duration? = nil) throws {
    try handle.joinThrowing(timeout)
  }

  /// Waits until a closed or stopped pool has come to rest, as ``join(timeout:)`` does, without blocking a thread of
  /// Swift's executors.
  public func joined() async throws {
    try await handle.joined()
  }

  /// Waits until fewer jobs wait than may, or the pool takes no more.
  ///
  /// Others may be faster: `schedule` can still throw ``PebbleError/Code/full``.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile; ``PebbleError`` when there is no memory for it.
  public func room() async throws {
    let watch = FutureWatch(count: 1)
    try handle.onRoom { watch.oneIsDone() }
    await watch.waitAsync(nil, isolation: nil)
    try Task.checkCancellation()
  }

  /// Counts since the pool was made, and of now.
  public var statistics: ProcessPool.Statistics { handle.statistics }
}
