// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Some elements of a map that one job computes.
///
/// Every element keeps its own outcome. An element whose arguments cannot be encoded fails alone. When the worker dies
/// in the job, or its elements together run for too long, they are run again one by one, so that only the guilty one
/// fails; those before it then run twice. When the job runs into the limit of a chunk or is cancelled, each of its
/// elements gets that error.
///
/// `@unchecked Sendable`: the elements' bytes do not change any more.
final class MapChunk<Value: Codable & Sendable>: @unchecked Sendable {
  typealias Element = Result<Payload, any Error>
  typealias Job = ProcessFuture<[Result<Value, any Error>]>

  private struct State {
    /// What runs now, or ran last.
    var job: Job
    var isCancelled = false
  }

  /// Whether it could not be scheduled because the pool takes no more work.
  let isRefused: Bool
  private let elements: [Element]
  private let plan: MapPlan
  private let first: Job
  private let state: Mutex<State>

  init(_ elements: [Element], _ plan: MapPlan) {
    self.elements = elements
    self.plan = plan
    do {
      first = try Self.start(elements.compactMap { try? $0.get() }, plan)
      isRefused = false
    } catch {
      first = Job(.failure(error))
      isRefused = [.closed, .noEntry].contains((error as? PebbleError)?.code)
    }
    state = Mutex(State(job: first))
  }

  var count: Int { elements.count }

  /// Calls `body`, which must not block, when the job is done.
  func whenDone(_ body: @escaping @Sendable () -> Void) {
    first.whenDone(body)
  }

  /// The running time of the job, when it succeeded.
  var runTime: Duration? { first.runTime }

  func cancel() {
    let job = state.withLock { state in
      state.isCancelled = true
      return state.job
    }
    job.cancel()
  }

  /// The outcome of each element. Cancelling the task cancels the job.
  func results(isolation: isolated (any Actor)? = #isolation) async -> [Result<Value, any Error>] {
    let computed: [Result<Value, any Error>]
    switch await first.outcome(isolation: isolation) {
    case .success(let results):
      computed = results
    case .failure(let error) where isOfOneElement(error):
      computed = await oneByOne(isolation: isolation)
    case .failure(let error):
      computed = elements.map { _ in .failure(error) }
    }
    var next = computed.makeIterator()
    return elements.map { element in
      element.flatMap { _ in next.next() ?? .failure(PebbleError(.undecodable, "an element is missing")) }
    }
  }

  /// Whether an error of the job is the fault of one element among others.
  private func isOfOneElement(_ error: any Error) -> Bool {
    guard elements.count > 1 else { return false }
    return error is ProcessExpired || (error is TimeoutError && plan.limit(of: elements.count).isOfElements)
  }

  private func oneByOne(isolation: isolated (any Actor)?) async -> [Result<Value, any Error>] {
    var results: [Result<Value, any Error>] = []
    for case .success(let element) in elements {
      let job = state.withLock { state in
        if state.isCancelled { return Job(.failure(CancellationError())) }
        do {
          state.job = try Self.start([element], plan)
        } catch {
          state.job = Job(.failure(error))
        }
        return state.job
      }
      results.append(await job.outcome(isolation: isolation).flatMap { $0[0] })
    }
    return results
  }

  private static func start(_ elements: [Payload], _ plan: MapPlan) throws -> Job {
    guard !elements.isEmpty else { return Job(.success([])) }
    let input = Payload()
    input.append(raw: InputForm.chunk.rawValue)
    for element in elements { element.withBytes { input.append(pieceOf: $0) } }
    let count = elements.count
    return try plan.pool.start(plan.job(of: count), input) { try results(in: $0, count: count) }
  }

  @Sendable
  private static func results(in reply: UnsafeRawBufferPointer, count: Int) throws -> [Result<Value, any Error>] {
    let results = Pieces(reply).map { piece in
      Result<Value, any Error> {
        guard piece.count >= MemoryLayout<Int32>.size else { throw PebbleError(.undecodable, "an element's reply") }
        let code = piece.loadUnaligned(as: Int32.self)
        let bytes = UnsafeRawBufferPointer(rebasing: piece.dropFirst(MemoryLayout<Int32>.size))
        guard code == 0 else { throw Reply.error(code: code, bytes) }
        return try Reply.value(Value.self, bytes)
      }
    }
    guard results.count == count else {
      throw PebbleError(.undecodable, "a chunk of \(count) elements came back with \(results.count)")
    }
    return results
  }
}
