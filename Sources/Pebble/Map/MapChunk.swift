// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Some elements of a map that one job computes.
///
/// Every element keeps its own outcome. An element whose arguments cannot be encoded fails alone. When the worker dies
/// in the job, or its elements together run for too long, they are run again one by one, so that only the guilty one
/// fails; those before it then run twice. When the job runs into the limit of a chunk or is cancelled, each of its
/// elements gets that error.
///
/// `@unchecked Sendable`: the elements do not change any more.
final class MapChunk<Input, Value: Sendable>: @unchecked Sendable {
  typealias Job = MapPlan<Input, Value>.Job

  private struct State {
    /// What runs now, or ran last.
    var job: Job
    var isCancelled = false
  }

  /// Whether it could not be scheduled because the pool takes no more work.
  let isRefused: Bool
  /// Empty where it only stands for an error.
  private let elements: [Input]
  private let plan: MapPlan<Input, Value>
  private let first: Job
  private let state: Mutex<State>

  init(_ elements: [Input], _ plan: MapPlan<Input, Value>) {
    self.elements = elements
    self.plan = plan
    do {
      first = try plan.start(elements)
      isRefused = false
    } catch {
      first = Job(.failure(error))
      isRefused = [.closed, .noEntry].contains((error as? PebbleError)?.code)
    }
    state = Mutex(State(job: first))
  }

  /// An error in the place of an element.
  init(_ error: any Error, _ plan: MapPlan<Input, Value>) {
    elements = []
    self.plan = plan
    first = Job(.failure(error))
    isRefused = false
    state = Mutex(State(job: first))
  }

  var count: Int { max(1, elements.count) }

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
    switch await first.outcome(isolation: isolation) {
    case .success(let results):
      return results
    case .failure(let error) where isOfOneElement(error):
      return await oneByOne(isolation: isolation)
    case .failure(let error):
      return Array(repeating: .failure(error), count: count)
    }
  }

  /// Whether an error of the job is the fault of one element among others.
  private func isOfOneElement(_ error: any Error) -> Bool {
    guard elements.count > 1 else { return false }
    return error is ProcessExpired || (error is TimeoutError && plan.limit(of: elements.count).isOfElements)
  }

  private func oneByOne(isolation: isolated (any Actor)?) async -> [Result<Value, any Error>] {
    var results: [Result<Value, any Error>] = []
    for element in elements {
      let job = state.withLock { state in
        if state.isCancelled { return Job(.failure(CancellationError())) }
        do {
          state.job = try plan.start([element])
        } catch {
          state.job = Job(.failure(error))
        }
        return state.job
      }
      results.append(await job.outcome(isolation: isolation).flatMap { $0[0] })
    }
    return results
  }
}
