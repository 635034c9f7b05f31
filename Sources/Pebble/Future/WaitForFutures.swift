// SPDX-License-Identifier: Apache-2.0

/// How many of several futures to wait for.
public enum FuturesAwaited: Sendable {
  /// One at least.
  case first
  case all
}

/// A future of some value: what can be waited for together with others.
public protocol WaitableFuture: AnyObject, Sendable {
  /// Whether there is an outcome.
  var isDone: Bool { get }
  /// What its job is doing.
  var state: FutureState { get }
  var _reference: _FutureReference { get }
}

/// A future's inside.
public struct _FutureReference: Sendable {
  let watch: @Sendable (FutureWatch) -> Void
  let unwatch: @Sendable (FutureWatch) -> Void
}

/// Waits until the first of these futures, or all, have their outcome, blocking the thread. Their jobs go on whatever
/// this returns.
///
/// - Parameters:
///   - futures: what to wait for.
///   - awaited: whether one of them is enough.
///   - timeout: how long to wait, without limit when nil.
/// - Returns: those that are done, in the order given; with `.all` they are fewer than given when the time is over,
///   with `.first` none.
@available(*, noasync, message: "use 'await wait(for:)'")
public func wait<Value>(
  for futures: [ProcessFuture<Value>], _ awaited: FuturesAwaited = .all, timeout: Duration? = nil
) -> [ProcessFuture<Value>] {
  waitBlocking(futures, awaited, timeout)
  return futures.filter { $0.isDone }
}

/// Waits for futures of different values; see the other form.
@available(*, noasync, message: "use 'await wait(for:)'")
public func wait(
  for futures: [any WaitableFuture], _ awaited: FuturesAwaited = .all, timeout: Duration? = nil
) -> [any WaitableFuture] {
  waitBlocking(futures, awaited, timeout)
  return futures.filter { $0.isDone }
}

/// Waits until the first of these futures, or all, have their outcome. Their jobs go on whatever becomes of the wait.
///
/// - Parameters:
///   - futures: what to wait for.
///   - awaited: whether one of them is enough.
///   - timeout: how long to wait, without limit when nil.
///   - isolation: the caller's.
/// - Returns: those that are done, in the order given; with `.all` they are fewer than given when the time is over,
///   with `.first` none.
/// - Throws: `CancellationError` when the task is cancelled, which ends the wait.
public func wait<Value>(
  for futures: [ProcessFuture<Value>], _ awaited: FuturesAwaited = .all, timeout: Duration? = nil,
  isolation: isolated (any Actor)? = #isolation
) async throws -> [ProcessFuture<Value>] {
  try await waitAsync(futures, awaited, timeout, isolation)
  return futures.filter { $0.isDone }
}

/// Waits for futures of different values; see the other form.
public func wait(
  for futures: [any WaitableFuture], _ awaited: FuturesAwaited = .all, timeout: Duration? = nil,
  isolation: isolated (any Actor)? = #isolation
) async throws -> [any WaitableFuture] {
  try await waitAsync(futures, awaited, timeout, isolation)
  return futures.filter { $0.isDone }
}

private func waitBlocking(_ futures: [any WaitableFuture], _ awaited: FuturesAwaited, _ timeout: Duration?) {
  let watching = Watching(futures, awaited)
  watching.watch.wait(timeout)
  watching.end()
}

private func waitAsync(
  _ futures: [any WaitableFuture], _ awaited: FuturesAwaited, _ timeout: Duration?, _ isolation: isolated (any Actor)?
) async throws {
  let watching = Watching(futures, awaited)
  await watching.watch.waitAsync(timeout, isolation: isolation)
  watching.end()
  try Task.checkCancellation()
}

/// The connections between one wait and its futures.
private struct Watching {
  let watch: FutureWatch
  private let futures: [_FutureReference]

  /// A future that is given twice counts once.
  init(_ futures: [any WaitableFuture], _ awaited: FuturesAwaited) {
    var seen: Set<ObjectIdentifier> = []
    let all = futures.filter { seen.insert(ObjectIdentifier($0)).inserted }
    self.futures = all.map(\._reference)
    watch = FutureWatch(count: awaited == .first ? min(1, all.count) : all.count)
    for future in self.futures { future.watch(watch) }
  }

  func end() {
    for future in futures { future.unwatch(watch) }
  }
}
