// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// The chunks of one iteration that are in the pool: put in by whoever takes the inputs, taken out by whoever takes
/// the results, cancelled by anyone.
final class MapWindow<Input, Value: Sendable>: Sendable {
  typealias Chunk = MapChunk<Input, Value>
  private typealias Continuation = CheckedContinuation<Void, Never>

  private struct State {
    var sizer: ChunkSizer
    /// Those in the pool, by the order of their inputs.
    var chunks: [Int: Chunk] = [:]
    var added = 0
    /// What to take next: each when it is added, or when it is done.
    var takeable: [Int] = []
    /// Was taken, and may be waited for.
    var taken: Chunk?
    var inputsEnded = false
    var taker: Continuation?
    var adder: Continuation?
    var feeder: Task<Void, Never>?
    /// Chunks are put in until there are enough, and then none until there are few: one for each that is taken out
    /// would wake a worker each time.
    var isFilling = true

    /// Whether another chunk is wanted in the pool: there are enough when no worker waits for the caller, who may come
    /// back for more only when it was woken. That takes some 100 us, so short ones are sent further ahead.
    ///
    /// - Parameter most: more would only wait for room in the pool.
    mutating func hasRoom(workers: Int, atMost most: Int) -> Bool {
      let ahead = sizer.chunkTime.map { max(2, min(64, 200_000 / max(1, $0))) } ?? 2
      let enough = min(workers * Int(ahead) + 1, most)
      let few = enough - max(0, enough - (2 * workers + 1)) / 2
      isFilling = chunks.count < (isFilling ? enough : few)
      return isFilling && !inputsEnded
    }
    var hasNone: Bool { chunks.isEmpty && inputsEnded }
  }

  let plan: MapPlan<Input, Value>
  /// The chunks that may wait in the pool.
  private let most: Int
  private let state: Mutex<State>

  init(_ plan: MapPlan<Input, Value>) {
    self.plan = plan
    most = plan.pool._reference.handle.maxQueued ?? .max
    state = Mutex(State(sizer: ChunkSizer(plan.chunkSize)))
  }

  /// How many elements the next chunk should have, nil when there is no room for one, or no need.
  var nextSize: Int? {
    let workers = plan.pool.maxWorkers
    return state.withLock { $0.hasRoom(workers: workers, atMost: most) ? $0.sizer.size : nil }
  }

  func add(_ chunk: Chunk) {
    let (number, mustCancel, taker) = state.withLock { state in
      let number = state.added
      state.added += 1
      state.chunks[number] = chunk
      let mustCancel = state.inputsEnded
      if chunk.isRefused { state.inputsEnded = true }
      guard plan.isOrdered else { return (number, mustCancel, nil as Continuation?) }
      state.takeable.append(number)
      return (number, mustCancel, state.taker.take())
    }
    if mustCancel { chunk.cancel() }
    taker?.resume()
    if !plan.isOrdered { chunk.whenDone { [self] in offer(number) } }
  }

  private func offer(_ number: Int) {
    state.withLock { state in
      state.takeable.append(number)
      return state.taker.take()
    }?.resume()
  }

  /// There are no more inputs.
  func end() {
    let (taker, adder) = state.withLock { state in
      state.inputsEnded = true
      return (state.taker.take(), state.adder.take())
    }
    taker?.resume()
    adder?.resume()
  }

  /// Cancels what was not handed out, and takes no more inputs.
  func cancel() {
    let (chunks, taken, feeder) = state.withLock { state in
      (Array(state.chunks.values), state.taken, state.feeder.take())
    }
    end()
    for chunk in chunks { chunk.cancel() }
    taken?.cancel()
    feeder?.cancel()
  }

  /// The next chunk whose results are wanted, nil when there are no more.
  func take(isolation: isolated (any Actor)?) async -> Chunk? {
    while true {
      let workers = plan.pool.maxWorkers
      let (chunk, adder, isEnd) = state.withLock { state in
        guard !state.takeable.isEmpty else {
          return (nil as Chunk?, nil as Continuation?, state.hasNone)
        }
        state.taken = state.chunks.removeValue(forKey: state.takeable.removeFirst())
        let isWanted = state.adder != nil && state.hasRoom(workers: workers, atMost: most)
        return (state.taken, isWanted ? state.adder.take() : nil, false)
      }
      adder?.resume()
      if let chunk { return chunk }
      if isEnd { return nil }
      await suspend(isolation: isolation, as: \.taker) { $0.takeable.isEmpty && !$0.hasNone }
    }
  }

  /// The chunk that was taken has its results.
  func finish(_ chunk: Chunk) {
    state.withLock { state in
      state.taken = nil
      if let runTime = chunk.runTime { state.sizer.learn(chunk.count, ran: runTime.nanoseconds) }
    }
  }

  /// Takes inputs in a task of its own.
  func feed(_ body: @escaping @Sendable (MapWindow) async -> Void) {
    let task = Task.detached { [self] in
      await body(self)
      end()
    }
    state.withLock { $0.feeder = task }
  }

  /// Waits for room; how many elements the next chunk should have, nil when there is no need for one.
  func waitForRoom() async -> Int? {
    while true {
      if let size = nextSize { return size }
      if state.withLock({ $0.inputsEnded }) { return nil }
      let workers = plan.pool.maxWorkers
      await suspend(isolation: nil, as: \.adder) { [most] in
        !$0.hasRoom(workers: workers, atMost: most) && !$0.inputsEnded
      }
    }
  }

  private func suspend(
    isolation: isolated (any Actor)?, as waiter: WritableKeyPath<State, Continuation?> & Sendable,
    while condition: @Sendable (inout State) -> Bool
  ) async {
    await withTaskCancellationHandler(
      operation: {
        _ = isolation
        await withCheckedContinuation(isolation: isolation) { continuation in
          let mustWait = state.withLock { state in
            guard condition(&state) else { return false }
            state[keyPath: waiter] = continuation
            return true
          }
          if !mustWait { continuation.resume() }
        }
      },
      onCancel: { cancel() },
      isolation: isolation)
  }
}
