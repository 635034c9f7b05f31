// SPDX-License-Identifier: Apache-2.0

/// What one job says while it runs, with ``sendUpdate(_:)``: an asynchronous sequence that ends with the job.
///
/// ```swift
/// let progress = try JobUpdates<Double>()
/// let job = try pool.schedule(#process(render), scene, updates: progress)
/// for try await share in progress { print("\(share)") }
/// let image = try await job.value
/// ```
///
/// Updates come in order and all of them before the sequence ends, also when the job crashes after it has sent them.
/// Nothing comes after a limit, a cancel or a stop has ended the job. One `JobUpdates` is for one job.
public final class JobUpdates<Update: Codable & Sendable>: JobUpdateQueue, AsyncSequence {
  public typealias Element = Update

  public let _reference: _QueueReference

  /// - Parameter capacity: how many updates wait to be taken at most; further ones are dropped. Nil: as many as there
  ///   is memory for.
  /// - Throws: ``PebbleError``: the capacity is below 1, or no memory.
  public init(capacity: Int? = nil) throws {
    if let capacity, capacity < 1 {
      throw PebbleError(.invalidArgument, "capacity must be at least 1, not \(capacity)")
    }
    _reference = _QueueReference(handle: try QueueHandle(updatesUpTo: capacity ?? 0))
  }

  public func makeAsyncIterator() -> Iterator { Iterator(updates: self) }

  public struct Iterator: AsyncIteratorProtocol {
    let updates: JobUpdates

    /// - Throws: `CancellationError` when the task is cancelled; ``PebbleError`` with the code
    ///   ``PebbleError/Code/undecodable`` when the job sent something else than an `Update`.
    public mutating func next() async throws -> Update? {
      while true {
        try Task.checkCancellation()
        switch try updates._reference.handle.takeUpdate({ try Reply.value(Update.self, $0) }) {
        case .item(let update): return update
        case .closed: return nil
        case .notNow: try await updates._reference.handle.becomesReady()
        }
      }
    }
  }
}

/// Updates of some type: what `schedule` takes.
public protocol JobUpdateQueue: AnyObject, Sendable {
  var _reference: _QueueReference { get }
}

/// In a job: sends a value to whoever scheduled it with ``JobUpdates`` of that type. Where nobody listens, and outside
/// of jobs, it does nothing.
///
/// - Throws: what encoding the value threw; ``PebbleError`` when it is larger than the pool's `maxPayload`.
public func sendUpdate<Update: Codable & Sendable>(_ update: Update) throws {
  guard let call = CallHandle.current else { return }
  let bytes = Payload()
  try bytes.append(update)
  try bytes.withBytes { try call.update($0) }
}
