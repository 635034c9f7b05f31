// SPDX-License-Identifier: Apache-2.0

/// Some elements of a map that one job computes.
///
/// Every element keeps its own outcome. An element whose arguments cannot be encoded fails alone. When the worker dies
/// in the job, its elements are run again one by one, so that only the guilty one fails; those before it then run
/// twice. When the job runs into its limit or is cancelled, each of its elements gets that error.
struct MapChunk<Value: Codable & Sendable> {
  private let elements: [Result<Payload, any Error>]
  private let job: Job
  private let pool: ProcessPool
  private let future: ProcessFuture<[Result<Value, any Error>]>

  init(_ elements: [Result<Payload, any Error>], _ job: Job, in pool: ProcessPool) {
    self.elements = elements
    self.job = job
    self.pool = pool
    future = Self.start(elements.compactMap { try? $0.get() }, job, in: pool)
  }

  func cancel() {
    future.cancel()
  }

  /// The outcome of each element.
  func results(isolation: isolated (any Actor)? = #isolation) async -> [Result<Value, any Error>] {
    var computed: [Result<Value, any Error>]
    switch await future.outcome(isolation: isolation) {
    case .success(let results):
      computed = results
    case .failure(is ProcessExpired) where elements.count > 1:
      computed = []
      for case .success(let element) in elements {
        let alone = await Self.start([element], job, in: pool).outcome(isolation: isolation)
        computed.append(alone.flatMap { $0[0] })
      }
    case .failure(let error):
      computed = elements.map { _ in .failure(error) }
    }
    var next = computed.makeIterator()
    return elements.map { element in
      element.flatMap { _ in next.next() ?? .failure(PebbleError(.undecodable, "an element is missing")) }
    }
  }

  private static func start(
    _ elements: [Payload], _ job: Job, in pool: ProcessPool
  ) -> ProcessFuture<[Result<Value, any Error>]> {
    guard !elements.isEmpty else { return ProcessFuture(.success([])) }
    let input = Payload()
    input.append(raw: InputForm.chunk.rawValue)
    for element in elements { element.withBytes { input.append(pieceOf: $0) } }
    let count = elements.count
    do {
      return try pool.start(job, input) { try results(in: $0, count: count) }
    } catch {
      return ProcessFuture(.failure(error))
    }
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
