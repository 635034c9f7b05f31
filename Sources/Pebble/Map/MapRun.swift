// SPDX-License-Identifier: Apache-2.0

/// One iteration of a map: takes inputs, keeps a window of chunks in the pool, hands out results.
final class MapRun<Value: Codable & Sendable> {
  /// Writes the arguments of one element.
  typealias Input = (Payload) throws -> Void

  let window: MapWindow<Value>
  private let nextInput: (() -> Input?)?
  private var ready: [Result<Value, any Error>] = []  // of one chunk, last element first

  /// - Parameter nextInput: the inputs; nil when something else feeds the window.
  init(_ window: MapWindow<Value>, nextInput: (() -> Input?)? = nil) {
    self.window = window
    self.nextInput = nextInput
  }

  deinit {
    window.cancel()
  }

  /// The next element's outcome, nil at the end.
  func next(isolation: isolated (any Actor)? = #isolation) async -> Result<Value, any Error>? {
    while true {
      if let result = ready.popLast() { return result }
      if Task.isCancelled { window.cancel() }
      fillWindow()
      guard let chunk = await window.take(isolation: isolation) else { return nil }
      ready = await chunk.results(isolation: isolation).reversed()
      window.finish(chunk)
    }
  }

  private func fillWindow() {
    guard let nextInput else { return }
    while let size = window.nextSize {
      var elements: [MapChunk<Value>.Element] = []
      while elements.count < size, let input = nextInput() { elements.append(Payload.encoded(input)) }
      let isEnd = elements.count < size
      if !elements.isEmpty { window.add(MapChunk(elements, window.plan)) }
      if isEnd { window.end() }
    }
  }
}

extension Payload {
  /// What `input` writes, or why it could not.
  fileprivate static func encoded(_ input: (Payload) throws -> Void) -> Result<Payload, any Error> {
    Result {
      let bytes = Payload()
      try input(bytes)
      return bytes
    }
  }
}

extension MapWindow {
  /// Takes all of the inputs. An error that they throw becomes the last element's.
  func take<Inputs: AsyncSequence & Sendable>(_ inputs: Inputs) async where Inputs.Element: Encodable {
    var elements: [MapChunk<Value>.Element] = []
    do {
      var iterator = inputs.makeAsyncIterator()
      while let size = await waitForRoom() {
        while elements.count < size, let input = try await iterator.next() {
          elements.append(Payload.encoded { try $0.append(arguments: input) })
        }
        if elements.count < size { break }
        add(MapChunk(elements, plan))
        elements = []
      }
    } catch {
      elements.append(.failure(error))
    }
    if !elements.isEmpty { add(MapChunk(elements, plan)) }
  }
}
