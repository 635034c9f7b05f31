// SPDX-License-Identifier: Apache-2.0

/// One iteration of a map: takes inputs, keeps a window of chunks in the pool, hands out results in order.
final class MapRun<Value: Codable & Sendable> {
  /// Writes the arguments of one element.
  typealias Input = (Payload) throws -> Void

  private let pool: ProcessPool
  private let job: Job
  private let chunkSize: Int
  private let window: Int
  private var nextInput: () -> Input?
  private var chunks: [MapChunk<Value>] = []
  private var ready: [Result<Value, any Error>] = []  // of the first chunk, last element first
  private var inputsEnded = false

  init(pool: ProcessPool, job: Job, chunkSize: Int, nextInput: @escaping () -> Input?) {
    self.pool = pool
    self.job = job
    self.chunkSize = chunkSize
    self.nextInput = nextInput
    window = pool.maxWorkers * 2 + 1
  }

  deinit {
    cancel()
  }

  /// The next element's outcome, nil at the end.
  func next(isolation: isolated (any Actor)? = #isolation) async -> Result<Value, any Error>? {
    while true {
      if let result = ready.popLast() { return result }
      fillWindow()
      guard !chunks.isEmpty else { return nil }
      let first = chunks.removeFirst()
      ready = await first.results(isolation: isolation).reversed()
    }
  }

  /// Cancels what was not handed out, and takes no more inputs.
  func cancel() {
    for chunk in chunks { chunk.cancel() }
    inputsEnded = true
  }

  private func fillWindow() {
    while chunks.count < window, !inputsEnded {
      var elements: [Result<Payload, any Error>] = []
      while elements.count < chunkSize, let input = nextInput() {
        elements.append(
          Result {
            let bytes = Payload()
            try input(bytes)
            return bytes
          })
      }
      inputsEnded = elements.count < chunkSize
      if !elements.isEmpty { chunks.append(MapChunk(elements, job, in: pool)) }
    }
  }
}
